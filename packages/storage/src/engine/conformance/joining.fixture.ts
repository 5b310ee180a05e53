/** What an engine promises of its charter. */
import { expect } from 'vitest'
import { CHARTER, loadAll, outcomeOf, put, type Scene } from './harness.fixture.js'
import type { Tests } from './tests.fixture.js'

export const JOINING: Tests = {
  'gives the charter of the first node to all': async (scene) => {
    const [first, second] = [await scene.harness.connect(), await scene.harness.connect()]
    expect(await first.engine.join(CHARTER)).toEqual(CHARTER)
    expect(await second.engine.join({ ...CHARTER, epoch: 'e2', secret: 's2' })).toEqual(CHARTER)
    expect(await first.engine.join({ ...CHARTER, epoch: 'e3' })).toEqual(CHARTER)
    expect(await loadAll(second.engine)).toEqual([])
  },

  'lets one charter stand when many nodes offer one': async (scene) => {
    const nodes = await Promise.all(Array.from({ length: 5 }, () => scene.harness.connect()))
    const charters = await Promise.all(
      nodes.map(({ engine }, index) => engine.join({ ...CHARTER, epoch: `e${index}` })),
    )
    expect(new Set(charters.map(({ epoch }) => epoch)).size).toBe(1)
  },

  'refuses another name and another format': async (scene) => {
    await scene.node()
    const { engine } = await scene.harness.connect()
    expect(await outcomeOf(engine.join({ ...CHARTER, cluster: 'bank' }))).toBe('incompatible')
    expect(await outcomeOf(engine.join({ ...CHARTER, format: 2 }))).toBe('incompatible')
    expect(await outcomeOf(engine.join({ ...CHARTER, format: 1.5 }))).toBe('done')
  },

  'does nothing for a node that has not joined, and nothing in another epoch': async (scene) => {
    await scene.node()
    const { engine } = await scene.harness.connect()
    const attempts = [
      engine.load(() => {}),
      engine.scan(() => {}),
      engine.read(['a']),
      put(engine, 'a', '1'),
    ].map(outcomeOf)
    expect(await Promise.all(attempts)).toEqual(['epoch', 'epoch', 'epoch', 'epoch'])
    await engine.join(CHARTER)
    const write = engine.write('e2', [{ key: 'a', value: '1', expected: 0 }])
    expect(await outcomeOf(write)).toBe('epoch')
    expect(await loadAll(engine)).toEqual([])
  },

  'says what it is': async (scene) => {
    const { engine } = await scene.node()
    const { kind, endpoints, alarms } = engine.status()
    expect(kind).toBe(scene.traits.kind)
    expect(endpoints.length).toBeGreaterThan(0)
    expect(alarms).toEqual([])
  },

  'rejects what is under way when it is closed, and what comes after': async (scene) => {
    const { engine } = await scene.node()
    const follower = await scene.follow(engine)
    const underWay = [put(engine, 'a', '1'), engine.load(() => {})].map(outcomeOf)
    await Promise.all([engine.close(), engine.close()])
    const after = [put(engine, 'b', '1'), engine.load(() => {}), engine.join(CHARTER)].map(outcomeOf)
    expect(await Promise.all(after)).toEqual(['unavailable', 'unavailable', 'unavailable'])
    // What was done already before the close may be told.
    for (const outcome of await Promise.all(underWay)) expect(['done', 'unavailable']).toContain(outcome)
    await putByAnother(scene)
    await scene.sleep(scene.traits.holdMs / 2)
    expect(follower.failure).toBeUndefined()
    expect(follower.keys).toEqual([])
  },
}

async function putByAnother(scene: Scene): Promise<void> {
  const { engine } = await scene.node()
  const follower = await scene.follow(engine)
  await put(engine, 'c', '1')
  await scene.until('the change', () => follower.keys.includes('c'))
}
