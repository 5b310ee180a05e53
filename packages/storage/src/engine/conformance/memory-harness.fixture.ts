/** The engine in memory under test. Time passes as fast as everything that waits for it is done. */
import { HandClock } from '@rollcall/testkit/time'
import { createMemoryEngine, type MemoryEngine } from '../memory/engine.js'
import { createMemoryStore } from '../memory/store.js'
import type { EngineHarness, EngineTraits, NodeUnderTest } from './harness.fixture.js'

export const MEMORY_TRAITS: EngineTraits = {
  kind: 'memory',
  pageKeys: 250,
  holdMs: 3_000,
  ttlMs: 4_000,
  lateMs: 20,
  deadlineMs: 3_100,
}

/** A store in memory, and its own time. */
export async function openMemory(): Promise<EngineHarness> {
  const clock = new HandClock()
  const store = createMemoryStore(clock)
  const engines: MemoryEngine[] = []
  let over = false
  const next = (): void => {
    if (over) return
    const first = Math.min(...clock.timers.map(({ at }) => at))
    if (Number.isFinite(first)) clock.advance(first - clock.now())
    setImmediate(next)
  }
  next()
  return {
    clock,
    store: {
      stop: async () => store.stop(),
      start: async () => store.start(),
      compact: async () => store.compact(),
      wipe: async () => store.wipe(),
      async backup() {
        const backup = store.backup()
        return async () => store.restore(backup)
      },
      fill: async () => void (store.full = true),
      free: async () => void (store.full = false),
    },
    async connect() {
      const engine = createMemoryEngine(store, { clock }, { pageMax: 100 })
      engines.push(engine)
      return { engine, line: lineOf(engine) }
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()))
      over = true
    },
  }
}

function lineOf({ line }: MemoryEngine): NodeUnderTest['line'] {
  return {
    cut: () => line.cut(),
    heal() {
      line.losesAnswers = false
      line.heal()
    },
    reset: () => line.reset(),
    loseAnswers: () => (line.losesAnswers = true),
    delay: (ms) => (line.delayMs = ms),
  }
}
