/** Invariant I7: heartbeats write nothing. */
import { encode, type JournalEntry, type RegisterCommand, type StoredRecord } from '@rollcall/core'
import type { Instance } from '@rollcall/wire'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import { isJoined, type Scene } from '../world/scene.js'

/**
 * I7: a beat of an instance that is up writes nothing, nor does a renewal that says nothing new, and no record is
 * written that says what the one before said already: pings, renewals and comparisons leave the journal alone.
 */
export function createQuietJournal(world: Scene): Invariant {
  let last = new Map<string, string>()
  /** What an operator brought back: its provider's first word is news. */
  const restored = new Set<string>()
  /** A session that opens at a node takes its instance over from the node before: that is no renewal. */
  const moving = new Set(
    isJoined(world)
      ? world.endpoints.filter(({ vouch }) => vouch === 'session').map(({ key }) => keyText(key))
      : [],
  )
  const meaning = (record: StoredRecord): string => meaningOf(record, world)

  const invariant: Invariant = {
    name: 'I7 quiet journal',
    booted(entries) {
      last = new Map()
      for (const entry of entries) note(entry)
    },
    beaten(refs, _response, states, written) {
      if (written > 0 && states.every((state) => state === 'up')) {
        world.violated(invariant, `a beat of ${refs.map(keyText).join(', ')} wrote ${written} entries`)
      }
    },
    executed(done, before, written) {
      if (done.kind !== 'register' || written === 0) return
      const { items } = done.command
      if (items.filter((item) => restored.delete(keyText(item))).length > 0) return
      if (items.every((item, index) => !moving.has(keyText(item)) && renews(item, before[index]))) {
        world.violated(invariant, `a renewal of ${items.map(keyText).join(', ')} wrote ${written} entries`)
      }
    },
    journalled(entries) {
      for (const entry of entries) {
        const before = note(entry)
        if (entry.kind === 'record' && before === meaning(entry.record)) {
          world.violated(invariant, `${keyText(entry.record)} was written again as it was`)
        }
      }
    },
  }

  function note(entry: JournalEntry): string | undefined {
    if (entry.kind === 'forget') last.delete(keyText(entry.key))
    if (entry.kind !== 'record') return undefined
    const key = keyText(entry.record)
    const before = last.get(key)
    const { content } = entry.record
    if (content.intent !== 'gone' && content.restored === true) restored.add(key)
    last.set(key, meaning(entry.record))
    return before
  }
  return invariant
}

/** Whether a registration says nothing but what is listed, of the same incarnation or of none. */
function renews(command: RegisterCommand, listed: Instance | undefined): boolean {
  if (listed === undefined || listed.state !== 'up' || command.intent !== 'up') return false
  if (command.rev !== undefined && command.rev > 1) return false
  if (command.incarnation !== undefined && command.incarnation !== listed.incarnation) return false
  return command.host === listed.host && command.port === listed.port && command.weight === listed.weight
}

/** What a record says, its versions apart; of several nodes it counts which of them judges, and what another one wrote. */
function meaningOf({ incarnation, content, verdict, override }: StoredRecord, world: Scene): string {
  const { value, reason, claim, node, seq } = verdict
  const judged = !isJoined(world) ? [] : node === world.registry.nodeId ? [claim, node] : [claim, node, seq]
  return encode({ incarnation, content, verdict: [value, reason, ...judged], override })
}
