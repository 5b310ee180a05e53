/** What is silent in truth, and what is taken for lost. */
import type { State } from '@rollcall/wire'
import type { Endpoint } from '../world/endpoint.js'

/** Whether nothing is heard of an endpoint, whatever the registry believes. */
export function isSilent(endpoint: Endpoint): boolean {
  if (endpoint.vouch === 'static' || endpoint.process.life === 0) return false
  return !endpoint.process.alive || endpoint.process.paused || endpoint.trouble.calmFrom === Infinity
}

/** Whether a state says that the instance is doubted or dead. */
export function isLost(state: State): boolean {
  return state === 'suspect' || state === 'down'
}
