/** The engine that counts: on the one in memory, whose line can be broken. */
import { type ClusterCharter, type EngineFailure, METRICS } from '@rollcall/core'
import { createMemoryEngine, createMemoryStore } from '@rollcall/storage'
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { createMeteredEngine } from './metered-engine.js'

const CHARTER: ClusterCharter = { cluster: 'shop', format: 1, epoch: 'e1', secret: 's' }

/** A node's engine, and the figures that are not zero by name and label, without what all begin with. */
function setUp() {
  const clock = new HandClock()
  const store = createMemoryStore(clock, { historyMax: 10 })
  const bare = createMemoryEngine(store, { clock })
  const figures: Record<string, number> = {}
  const add = (name: string, by: number): void => {
    const series = name.replace('rollcall_engine_', '')
    if (by !== 0) figures[series] = (figures[series] ?? 0) + by
  }
  const engine = createMeteredEngine({
    clock,
    engine: bare,
    meter: {
      count: (name, by = 1, label = '') => add(`${name} ${label}`, by),
      observe: (name, value) => add(name, value),
      set() {},
    },
  })
  /** What a promise comes to while time passes. */
  const after = async <T>(promise: Promise<T>, ms = 10): Promise<T> => {
    promise.catch(() => {})
    await clock.pass(ms)
    return promise
  }
  return { clock, store, line: bare.line, figures, engine, after }
}

describe('a metered engine', () => {
  it('counts each operation, and what became of the keys that it wrote', async () => {
    const { engine, figures, after } = setUp()
    await after(engine.join(CHARTER))
    await after(engine.load(() => {}))
    await after(engine.scan(() => {}))
    await after(engine.read(['a']))
    const writes = [
      { key: 'a', value: '1', expected: 0 },
      { key: 'b', value: '1', expected: 99 },
    ]
    expect(await after(engine.write('e1', writes))).toMatchObject([{ ok: true }, { ok: false }])
    expect(figures).toEqual({
      'operations_total join': 1,
      'operations_total load': 1,
      'operations_total scan': 1,
      'operations_total read': 1,
      'operations_total write': 1,
      'writes_total done': 1,
      'writes_total refused': 1,
      write_duration_seconds: 0.002,
    })
  })

  it('counts what keeps the key of a node, and what a watch is told is no operation', async () => {
    const { engine, clock, figures, after } = setUp()
    await after(engine.join(CHARTER))
    const revision = await after(engine.load(() => {}))
    const told: number[] = []
    engine.watch(revision, {
      changed: (_, to) => void told.push(to),
      progressed: (to) => void told.push(to),
      ended: () => expect.fail('it goes on'),
    })
    let kept = 0
    engine.hold(
      { key: 'nodes/a', value: 'a', ttlMs: 6_000 },
      { kept: () => void kept++, lost: () => expect.fail('it is held') },
    )
    await clock.pass(60_000)
    expect(told.length).toBeGreaterThan(10)
    expect(figures).toEqual({
      'operations_total join': 1,
      'operations_total load': 1,
      'operations_total watch': 1,
      'operations_total renewal': kept,
    })
    expect(kept).toBeGreaterThanOrEqual(30)
  })

  it('counts failures by their reason, also those of watches and of the key', async () => {
    const { engine, store, figures, after, clock } = setUp()
    await after(engine.join(CHARTER))
    const ended: string[] = []
    engine.hold(
      { key: 'nodes/a', value: 'a', ttlMs: 2_000 },
      { kept() {}, lost: () => void ended.push('key') },
    )
    await clock.pass(100)
    store.stop()
    await expect(after(engine.read(['a']), 10_000)).rejects.toMatchObject({ failure: 'unavailable' })
    expect(ended).toContain('key')
    expect(figures['failures_total unavailable']).toBeGreaterThanOrEqual(2)
    store.start()
    await clock.pass(10_000)
    await expect(after(engine.write('e0', []))).rejects.toMatchObject({ failure: 'epoch' })
    store.compact()
    engine.watch(1, { changed() {}, progressed() {}, ended: ({ failure }) => void ended.push(failure) })
    await clock.pass(10_000)
    expect(ended).toContain('compacted')
    expect(figures['failures_total compacted']).toBe(1)
    expect(figures['failures_total epoch']).toBe(1)
  })

  it('knows the reasons of the port', () => {
    const failures: Readonly<Record<EngineFailure, true>> = {
      unavailable: true,
      compacted: true,
      epoch: true,
      incompatible: true,
      refused: true,
      full: true,
    }
    expect(METRICS.rollcall_engine_failures_total.values).toEqual(Object.keys(failures))
  })
})
