/** What the engine in memory does beyond the port: its line, its order, and what happens to its store. */
import type { ClusterCharter, EngineError, EngineWatcher, EngineWritten } from '@rollcall/core'
import { HandClock, settle } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { createMemoryEngine, type MemoryEngine, type MemoryEngineOptions } from './engine.js'
import { createMemoryStore, type MemoryStore } from './store.js'

const CHARTER: ClusterCharter = { cluster: 'shop', format: 1, epoch: 'e1', secret: 's' }

/** A store, nodes, and a transcript of what they are told. */
class Scene {
  readonly clock = new HandClock()
  readonly store: MemoryStore = createMemoryStore(this.clock, { historyMax: 100 })
  readonly told: string[] = []

  connect(options: MemoryEngineOptions = {}): MemoryEngine {
    return createMemoryEngine(this.store, { clock: this.clock }, options)
  }

  /** Lets time pass until the promise is settled. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let over = false
    const end = (): void => void (over = true)
    promise.then(end, end)
    for (let ms = 0; ms < 60_000 && !over; ms += 1) {
      await this.clock.pass(1)
      await settle()
    }
    return promise
  }

  async joined(options: MemoryEngineOptions = {}): Promise<MemoryEngine> {
    const engine = this.connect(options)
    await this.settled(engine.join(CHARTER))
    return engine
  }

  put(engine: MemoryEngine, key: string, value = key, expected = 0): Promise<readonly EngineWritten[]> {
    return engine.write('e1', [{ key, value, expected }])
  }

  watcher(name: string): EngineWatcher {
    return {
      changed: (events, revision) =>
        void this.told.push(
          `${name} ${events.map(({ kind, key }) => `${kind} ${key}`).join(', ')} @${revision}`,
        ),
      progressed: () => {},
      ended: (error) => void this.told.push(`${name} ended: ${error.failure}`),
    }
  }

  outcome(name: string, promise: Promise<unknown>): void {
    promise.then(
      () => this.told.push(`${this.clock.now()} ${name} done`),
      (error: EngineError) => this.told.push(`${this.clock.now()} ${name} ${error.failure}`),
    )
  }
}

describe('the line of a node', () => {
  it('loses what is asked during a cut, at the deadline, and does not do it later', async () => {
    const scene = new Scene()
    const engine = await scene.joined({ deadlineMs: 500 })
    const at = scene.clock.now()
    engine.line.cut()
    scene.outcome('put', scene.put(engine, 'a'))
    await scene.clock.pass(499)
    expect(scene.told).toEqual([])
    await scene.clock.pass(1)
    expect(scene.told).toEqual([`${at + 500} put unavailable`])
    engine.line.heal()
    await scene.clock.pass(1_000)
    expect(scene.store.list()).toEqual([])
  })

  it('lets through late what still has time after a cut', async () => {
    const scene = new Scene()
    const engine = await scene.joined({ deadlineMs: 500 })
    engine.line.cut()
    const written = scene.put(engine, 'a')
    await scene.clock.pass(300)
    engine.line.heal()
    expect(await scene.settled(written)).toMatchObject([{ ok: true }])
  })

  it('does what was asked and loses the answer', async () => {
    const scene = new Scene()
    const engine = await scene.joined({ deadlineMs: 500 })
    engine.line.losesAnswers = true
    await expect(scene.settled(scene.put(engine, 'a'))).rejects.toMatchObject({ failure: 'unavailable' })
    engine.line.losesAnswers = false
    expect(scene.store.list()).toMatchObject([{ key: 'a' }])
    expect(await scene.settled(scene.put(engine, 'a'))).toMatchObject([{ ok: false, stored: { key: 'a' } }])
  })

  it('may do, when it is slow, what has failed already', async () => {
    const scene = new Scene()
    const engine = await scene.joined({ deadlineMs: 500 })
    engine.line.delayMs = 400
    await expect(scene.settled(scene.put(engine, 'a'))).rejects.toMatchObject({ failure: 'unavailable' })
    expect(scene.store.list()).toMatchObject([{ key: 'a' }])
  })

  it('breaks at once when it is reset, and a watch begins again where it was', async () => {
    const scene = new Scene()
    const [engine, other] = [await scene.joined(), await scene.joined()]
    engine.watch(scene.store.revision, scene.watcher('w'))
    await scene.clock.pass(10)
    scene.outcome('put', scene.put(engine, 'a'))
    engine.line.reset()
    await settle()
    expect(scene.told).toEqual([`${scene.clock.now()} put unavailable`])
    await scene.settled(scene.put(other, 'b'))
    await scene.clock.pass(1_000)
    expect(scene.told.slice(1)).toEqual([`w put b @${scene.store.revision}`])
  })
})

describe('a store in memory', () => {
  it('forgets the older half of its history past the bound', async () => {
    const scene = new Scene()
    const engine = await scene.joined()
    const start = scene.store.revision
    for (let index = 0; index < 101; index += 1) await scene.settled(scene.put(engine, `k${index}`))
    engine.watch(start, scene.watcher('old'))
    engine.watch(start + 60, scene.watcher('new'))
    await scene.clock.pass(100)
    expect(scene.told[0]).toBe('old ended: compacted')
    expect(scene.told.at(-1)).toMatch(/^new put k60, .*put k100 @/)
  })

  it('ends no lease while its members are down, and none at once when they are back', async () => {
    const scene = new Scene()
    const engine = await scene.joined()
    engine.hold(
      { key: 'node', value: 'n', ttlMs: 5_000 },
      { kept: () => {}, lost: ({ failure }) => scene.told.push(`lost: ${failure}`) },
    )
    await scene.clock.pass(2_000)
    scene.store.stop()
    await scene.clock.pass(120_000)
    expect(scene.told).toEqual(['lost: unavailable'])
    expect(scene.store.list()).toMatchObject([{ key: 'node' }])
    engine.line.cut()
    scene.store.start()
    await scene.clock.pass(4_900)
    expect(scene.store.list()).toMatchObject([{ key: 'node' }])
    await scene.clock.pass(200)
    expect(scene.store.list()).toEqual([])
  })

  it('does the same in the same order each time', async () => {
    const run = async (): Promise<readonly string[]> => {
      const scene = new Scene()
      let drawn = 0
      const latencyMs = (): number => 1 + ((drawn += 7) % 5)
      const [one, two] = [await scene.joined({ latencyMs }), await scene.joined({ latencyMs })]
      two.watch(scene.store.revision, scene.watcher('two'))
      for (let index = 0; index < 20; index += 1)
        scene.outcome(`${index}`, scene.put(index % 2 === 0 ? one : two, `k${index % 7}`))
      await scene.clock.pass(50)
      return scene.told
    }
    const first = await run()
    expect(first.length).toBeGreaterThan(20)
    expect(await run()).toEqual(first)
  })

  it('leaves no timer behind when all is closed', async () => {
    const scene = new Scene()
    const engine = await scene.joined()
    engine.watch(scene.store.revision, scene.watcher('w'))
    engine.hold({ key: 'node', value: 'n', ttlMs: 5_000 }, { kept: () => {}, lost: () => {} })
    await scene.clock.pass(1_000)
    await scene.settled(engine.close())
    await scene.clock.pass(10)
    expect(scene.clock.timers).toEqual([])
    expect(scene.store.list()).toEqual([])
  })
})
