/** Whether a node can answer lookups, by whichever protocol they come. */
import type { Readiness } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'

/** What tells how a node fares. */
export interface NodeLife {
  readiness(): Readiness
}

/** Lookups are answered only by a node that knows what it should know; one that is about to stop does, to its last moment. */
export function requireLoaded(node: NodeLife): void {
  const readiness = node.readiness()
  if (!readiness.ready && readiness.reason === 'loading')
    throw new RegistryError('not_ready', 'the node is still loading')
}
