/** What is known of the connections to the clusters. */
import type { RegistryError } from '@rollcall/wire'

export interface Reach {
  /** Whether a cluster may answer soon: connected, or not yet tried in vain. */
  mayAnswer(cluster: string): boolean
  connected(cluster: string): boolean
  /** Why every node of a cluster refuses the connection, if they do. */
  refusal(cluster: string): RegistryError | undefined
  /** The last failure of a connection to a cluster, in words. */
  lastFailure(cluster: string): string | undefined
}
