/** Writes that go on whatever happens, with a record of what was acknowledged. */
import type { EngineEntry, EnginePort } from '@rollcall/core'
import { CHARTER, outcomeOf, type Scene } from '#storage/engine-conformance'

export interface EngineLoad {
  /** Acknowledged so far, by key: the revision. */
  readonly acknowledged: ReadonlyMap<string, number>
  /** The longest time without one. */
  readonly longestPauseMs: number
  /** Resolves once this many more writes have been acknowledged. */
  more(count: number): Promise<void>
  /** Ends it after the write that is under way. */
  end(): Promise<void>
}

/** Writes one new key after the other. What may have been done or not is tried again, as any writer must. */
export function writeOn(scene: Scene, engine: EnginePort, name: string): EngineLoad {
  const acknowledged = new Map<string, number>()
  let goesOn = true
  let longestPauseMs = 0
  let lastAt = scene.now()
  const writing = (async () => {
    for (let index = 0; goesOn; index += 1) {
      const key = `${name}-${index}`
      acknowledged.set(key, await written(scene, engine, key))
      longestPauseMs = Math.max(longestPauseMs, scene.now() - lastAt)
      lastAt = scene.now()
    }
  })()
  return {
    acknowledged,
    get longestPauseMs() {
      return longestPauseMs
    },
    more(count) {
      const wanted = acknowledged.size + count
      return Promise.race([scene.until('writes that go on', () => acknowledged.size >= wanted), writing])
    },
    end() {
      goesOn = false
      return writing
    },
  }
}

async function written(scene: Scene, engine: EnginePort, key: string): Promise<number> {
  for (;;) {
    const write = engine.write(CHARTER.epoch, [{ key, value: key, expected: 0 }])
    const outcome = await outcomeOf(write)
    if (outcome === 'done') {
      const [one] = await write
      if (one?.ok) return one.revision
      if (one?.stored?.value === key) return one.stored.revision
      throw new Error(`${key} was written by another: ${JSON.stringify(one)}`)
    }
    if (outcome !== 'unavailable') throw new Error(`${key} cannot be written: ${outcome}`)
    await scene.sleep(50)
  }
}

/** What was acknowledged and is not there, or at another revision. */
export function lostWrites(loads: readonly EngineLoad[], entries: readonly EngineEntry[]): readonly string[] {
  const stored = new Map(entries.map(({ key, revision }) => [key, revision]))
  return loads.flatMap(({ acknowledged }) =>
    [...acknowledged].filter(([key, revision]) => stored.get(key) !== revision).map(([key]) => key),
  )
}
