/** What an engine promises of the key that a node holds while it is heard. */
import type { EngineError, EnginePort, EngineSubscription, NodeLeaseListener } from '@rollcall/core'
import { expect } from 'vitest'
import { loadAll, type Scene } from './harness.fixture.js'
import type { Tests } from './tests.fixture.js'

/** Notes what it is told, and when. */
export class Holder implements NodeLeaseListener {
  readonly told: string[] = []
  readonly keptAt: number[] = []
  private readonly scene: Scene
  private readonly subscription: EngineSubscription

  constructor(scene: Scene, engine: EnginePort, ttlMs = scene.traits.holdMs) {
    this.scene = scene
    const lease = { key: 'nodes/n1', value: 'node 1', ttlMs }
    this.subscription = engine.hold(lease, this)
  }

  kept(): void {
    this.keptAt.push(this.scene.now())
    if (this.told.at(-1) !== 'kept') this.told.push('kept')
  }

  lost(error: EngineError): void {
    this.told.push(error.failure)
  }

  close(): void {
    this.subscription.close()
  }
}

/** No slow machine lets a key of this life end by itself meanwhile. */
const LONG_MS = 60_000

export const HOLDING: Tests = {
  'keeps a key while the node is heard': async (scene) => {
    const { holdMs } = scene.traits
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(two.engine)
    const holder = new Holder(scene, one.engine)
    await scene.until('the key', () => follower.entries.get('nodes/n1')?.value === 'node 1')
    await scene.sleep(2 * holdMs)
    expect(holder.told).toEqual(['kept'])
    expect(holder.keptAt.length).toBeGreaterThanOrEqual(6)
    expect(follower.events.map(({ kind }) => kind)).toEqual(['put'])
  },

  'lets it go at once when asked': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(two.engine)
    const holder = new Holder(scene, one.engine, LONG_MS)
    await scene.until('the key', () => follower.keys.length === 1)
    const closedAt = scene.now()
    holder.close()
    await scene.until('the end of the key', () => follower.keys.length === 0)
    expect(scene.now() - closedAt).toBeLessThan(LONG_MS / 2)
    expect(holder.told).toEqual(['kept'])
  },

  'lets it go when the engine is closed': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(two.engine)
    const holder = new Holder(scene, one.engine, LONG_MS)
    await scene.until('the key', () => follower.keys.length === 1)
    await one.engine.close()
    expect(await loadAll(two.engine)).toEqual([])
    expect(holder.told).toEqual(['kept'])
  },

  'lets it go when the node is not heard for its time, says so there, and makes it anew': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(two.engine)
    const holder = new Holder(scene, one.engine)
    await scene.until('the key', () => follower.keys.length === 1 && holder.told.length === 1)
    one.line.cut()
    await scene.until('the end of the key', () => follower.keys.length === 0)
    await scene.until('the loss', () => holder.told.length === 2)
    expect(holder.told).toEqual(['kept', 'unavailable'])
    one.line.heal()
    await scene.until('the key again', () => follower.keys.length === 1)
    await scene.until('the news', () => holder.told.length === 3)
    expect(holder.told).toEqual(['kept', 'unavailable', 'kept'])
  },
}
