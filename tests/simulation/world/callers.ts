/** On whose behalf the parts of the simulation call a node. */
import { ANONYMOUS, type Caller } from '@rollcall/core'

/** The simulation itself, which only looks. */
export const ONLOOKER: Caller = { principal: ANONYMOUS }

/** A process on a host. */
export function callerAt(host: string): Caller {
  return { principal: ANONYMOUS, peer: host }
}
