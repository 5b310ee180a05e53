/** On whose behalf this adapter acts by itself, and how its callers are told from native ones. */
import { ANONYMOUS, type Caller } from '@rollcall/core'
import { PROTOCOL } from './mapping.js'

/** The adapter itself. */
export const CALLER: Caller = { principal: ANONYMOUS, via: PROTOCOL }

/** The adapter for an instance that `peer` registered. */
export function onBehalfOf(peer: string | undefined): Caller {
  return peer === undefined ? CALLER : { ...CALLER, peer }
}

/** A caller whose request came by this protocol. */
export function viaConsul(caller: Caller): Caller {
  return { ...caller, via: PROTOCOL }
}
