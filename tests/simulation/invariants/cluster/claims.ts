/** Invariant I23: the claim to judge an instance is raised in three cases only. */
import type { StoredRecord } from '@rollcall/core'
import { keyText } from '../../world/endpoint.js'
import { isCalm, type Scene } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'

/** A node that was cut off from the engine may be taken for dead for so long after it is back. */
const RETURNED_MS = 15_000

/** By then nodes and engine were compared. */
const COMPARED_MS = 75_000

/**
 * I23: a node takes over from another one that lives and is joined only where a session has opened here, or where it refutes a
 * doubt. Beats that come to the wrong node take nothing over.
 */
export function createClaims(world: Scene): Invariant {
  let last = new Map<string, StoredRecord>()
  const sessions = new Set(
    world.endpoints.filter(({ vouch }) => vouch === 'session').map(({ key }) => keyText(key)),
  )

  /** Whether the node of an id runs, and has been joined with the others for a while. */
  function isJudging(id: string): boolean {
    const node = world.nodes.find(({ registry }) => registry.nodeId === id)
    if (node === undefined) return false
    const { apart, trouble } = node.registry
    const disturbedAt = Math.max(apart.lastAt(world.queue.now), trouble.lastAt(world.queue.now))
    return isCalm(node) && world.queue.now > disturbedAt + RETURNED_MS
  }

  const invariant: Invariant = {
    name: 'I23 claims',
    booted(entries) {
      last = new Map()
      for (const entry of entries) if (entry.kind === 'record') last.set(keyText(entry.record), entry.record)
    },
    journalled(entries) {
      for (const entry of entries) {
        if (entry.kind === 'forget') last.delete(keyText(entry.key))
        if (entry.kind !== 'record') continue
        const { record } = entry
        const key = keyText(record)
        const before = last.get(key)
        last.set(key, record)
        if (before === undefined || before.incarnation !== record.incarnation) continue
        const { claim, node } = record.verdict
        if (claim <= before.verdict.claim || node !== world.registry.nodeId || node === before.verdict.node)
          continue
        if (sessions.has(key) || before.verdict.value !== 'up' || !isJudging(before.verdict.node)) continue
        // A node that does not know of an engine restored behind its back may miss a node for as long as it compares.
        if (world.queue.now < (world.engine?.troubledAt ?? -Infinity) + COMPARED_MS) continue
        world.violated(
          invariant,
          `${node} takes ${key} over from ${before.verdict.node}, which lives, without a session`,
        )
      }
    },
  }
  return invariant
}
