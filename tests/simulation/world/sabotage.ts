/** Bugs to plant. */
import type { Member, NodeDriver } from '@rollcall/server'

export interface Sabotage {
  /** Changes a node before it loads, and what joins it with others, if anything does. */
  readonly node?: (driver: NodeDriver, member: Member | undefined) => void
  /** Plants something for the length of a run; the returned function takes it out. */
  readonly everywhere?: () => () => void
}
