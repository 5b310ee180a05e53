/** What is known of the connections to the clusters. */
export interface Reach {
  /** Whether a cluster may answer soon: connected, or not yet tried in vain. */
  mayAnswer(cluster: string): boolean
  connected(cluster: string): boolean
}
