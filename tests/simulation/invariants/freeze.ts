/** Invariant I21: a freeze holds. */
import type { StoredRecord } from '@rollcall/core'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'

/**
 * I21: while a namespace is frozen nothing expires in it, silence takes nothing down, and nothing is taken out by host.
 * That a freeze stands is for I19.
 */
export function createFreeze(world: Scene): Invariant {
  const standings = new Map<string, string>()

  function broken({ content, verdict }: StoredRecord, before: string | undefined): string | undefined {
    // Another node may have done that before it heard of the freeze.
    if (content.intent === 'gone')
      return world.nodes.length === 1 && content.by === 'host' && before !== 'gone'
        ? 'was taken out by host'
        : undefined
    if (verdict.value === before) return undefined
    if (verdict.value === 'expired') return 'expired'
    return verdict.value === 'down' && verdict.reason !== 'refused'
      ? `went down (${verdict.reason})`
      : undefined
  }

  const invariant: Invariant = {
    name: 'I21 freeze',
    ended: () => standings.clear(),
    booted(entries) {
      for (const entry of entries)
        if (entry.kind === 'record') standings.set(keyText(entry.record), standingOf(entry.record))
    },
    journalled(entries) {
      const frozen = (world.registry.shown?.freezes().length ?? 0) > 0
      for (const entry of entries) {
        if (entry.kind !== 'record') continue
        const { record } = entry
        const key = keyText(record)
        // What another node wrote was perhaps written before it heard of the freeze.
        const own = world.nodes.length === 1 || record.verdict.node === world.registry.nodeId
        const what = frozen && own ? broken(record, standings.get(key)) : undefined
        if (what !== undefined) world.violated(invariant, `${key} ${what} in a frozen namespace`)
        standings.set(key, standingOf(record))
      }
    },
  }
  return invariant
}

function standingOf({ content, verdict }: StoredRecord): string {
  return content.intent === 'gone' ? 'gone' : verdict.value
}
