/** Invariant I22: an engine has nothing to do while nothing happens. */
import { encode, type StoredRecord } from '@rollcall/core'
import type { EngineWriting } from '../../world/engine.js'
import type { Scene } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'

/** At the end of the quiet time nothing is left to be done: the last hold-off is over. */
const SILENT_MS = 8_000

/** For so long before, only what an instance or its removal has to say is written. */
const QUIET_MS = 60_000

/**
 * I22: beats, pings, comparisons and reports of nodes write nothing. In the last minute no record is written that says what the one
 * before said but for who judges; and in the last seconds nothing is written at all, unless what is down is removed.
 */
export function createQuietEngine(world: Scene): Invariant {
  // Two that claim one id may try again and again.
  const isContested = world.endpoints.some(({ contested }) => contested)

  function late(writes: readonly EngineWriting[], ms: number): EngineWriting[] {
    return writes.filter(({ at }) => at > world.queue.now - ms)
  }

  const invariant: Invariant = {
    name: 'I22 quiet engine',
    healed() {
      const { engine } = world
      if (engine === undefined || isContested) return
      const [last] = late(engine.writes, SILENT_MS).filter(({ texts }) => !texts.every(isRemoval))
      if (last !== undefined)
        world.violated(invariant, `a write of ${last.by} at the very end: ${last.texts.join(', ')}`)
      const said = new Map<string, string>()
      for (const { at, by, texts } of engine.writes) {
        for (const text of texts) {
          const [key, meaning] = meaningOf(text)
          const again = at > world.queue.now - QUIET_MS && meaning !== undefined && said.get(key) === meaning
          if (again) world.violated(invariant, `${by} writes again at ${(at / 1_000).toFixed(3)} s: ${text}`)
          if (meaning !== undefined) said.set(key, meaning)
        }
      }
    },
  }
  return invariant
}

/** Whether what is down was removed: its time may end whenever a judge took over. */
function isRemoval(text: string): boolean {
  if (!text.startsWith('records/')) return false
  return (JSON.parse(text.slice(text.indexOf(' ') + 1)) as StoredRecord).verdict.value === 'expired'
}

/** What a record says but for who judges. */
function meaningOf(text: string): readonly [key: string, meaning?: string] {
  const at = text.indexOf(' ')
  const key = text.slice(0, at)
  if (!key.startsWith('records/')) return [key]
  const { incarnation, content, verdict, override } = JSON.parse(text.slice(at + 1)) as StoredRecord
  return [key, encode({ incarnation, content, verdict: verdict.value, override })]
}
