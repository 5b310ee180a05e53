/** Whether a node can answer lookups, by whichever protocol they come. */
import type { Readiness } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'

/** What tells how a node fares. */
export interface NodeLife {
  readiness(): Readiness
}

/** Whether the node knows what it should know; one that is about to stop does, to its last moment. */
export function isLoaded(node: NodeLife): boolean {
  const readiness = node.readiness()
  return readiness.ready || readiness.reason !== 'loading'
}

/** Lookups are answered only by a node that is loaded. */
export function requireLoaded(node: NodeLife): void {
  if (!isLoaded(node)) throw new RegistryError('not_ready', 'the node is still loading')
}
