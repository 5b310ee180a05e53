/** Invariant I8: what was acknowledged with `disk` is on the disk. */
import type { JournalEntry } from '@rollcall/core'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'

/**
 * I8: what was acknowledged with `disk` is on the disk at that moment, registrations and deregistrations alike, and
 * a node that starts again has it.
 */
export function createDurability(world: Scene): Invariant {
  const acknowledged = new Map<string, { readonly incarnation: number; readonly gone: boolean }>()

  let erasures = 0

  function holds(entry: JournalEntry, key: string, incarnation: number, gone: boolean): boolean {
    if (entry.kind !== 'record' || keyText(entry.record) !== key) return false
    const { record } = entry
    if (record.incarnation !== incarnation) return record.incarnation > incarnation
    return !gone || record.content.intent === 'gone'
  }

  function written(key: string, incarnation: number, gone: boolean): void {
    if (!world.registry.journal.holds((entry) => holds(entry, key, incarnation, gone))) {
      const what = gone ? 'deregistration' : 'registration'
      world.violated(invariant, `the ${what} of ${key}#${incarnation} was acknowledged before it was on disk`)
    }
    const known = acknowledged.get(key)
    if (known === undefined || known.incarnation < incarnation || !known.gone)
      acknowledged.set(key, { incarnation, gone })
  }

  const invariant: Invariant = {
    name: 'I8 durability',
    executed(done) {
      if (done.durability !== 'disk') return
      if (done.kind === 'register') {
        done.answer.forEach((result, index) => {
          const command = done.command.items[index]
          if (command !== undefined && result.ok) written(keyText(command), result.incarnation, false)
        })
      } else if (done.kind === 'restore') {
        for (const result of done.answer.results)
          if (result.ok) written(keyText(result), result.incarnation, false)
      } else if (done.kind === 'deregister' || done.kind === 'deregisterHost') {
        for (const ref of done.answer.removed) {
          if (ref.incarnation !== undefined) written(keyText(ref), ref.incarnation, true)
        }
      }
    },
    journalled(entries) {
      for (const entry of entries) {
        const key = entry.kind === 'forget' ? keyText(entry.key) : undefined
        if (key !== undefined) acknowledged.delete(key)
      }
    },
    booted(entries) {
      const { erasures: now } = world.registry.journal
      if (now !== erasures) acknowledged.clear()
      erasures = now
      for (const [key, { incarnation, gone }] of acknowledged) {
        if (entries.some((entry) => holds(entry, key, incarnation, gone))) continue
        world.violated(invariant, `${key}#${incarnation} was acknowledged with disk, and the node lost it`)
      }
    },
  }
  return invariant
}
