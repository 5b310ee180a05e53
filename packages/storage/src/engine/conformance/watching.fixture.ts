/** What an engine promises of watches, and of keys that go away by themselves. */
import { expect } from 'vitest'
import type { Follower } from './follower.fixture.js'
import { CHARTER, loadAll, put, putRevision } from './harness.fixture.js'
import type { Tests } from './tests.fixture.js'

export const WATCHING: Tests = {
  'tells everything in order, whole revisions, to every node': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const followers = [await scene.follow(one.engine), await scene.follow(two.engine)]
    await Promise.all(
      [one, two].map(async ({ engine }, who) => {
        for (let round = 0; round < 20; round += 1) {
          const keys = Array.from({ length: 5 }, (_, index) => `${who}-${round}-${index}`)
          await engine.write(
            CHARTER.epoch,
            keys.map((key) => ({ key, value: `value of ${key}`, expected: 0 })),
          )
        }
      }),
    )
    const entries = await loadAll(one.engine)
    expect(entries.length).toBe(200)
    for (const follower of followers) {
      await scene.until('all changes', () => follower.entries.size === 200)
      expect(follower.list).toEqual(entries)
      expect(follower.events.length).toBe(200)
    }
  },

  'leaves no gap between the load and the watch': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    let goesOn = true
    const writing = (async () => {
      for (let index = 0; goesOn; index += 1) await putRevision(one.engine, `k${index}`, '1')
    })()
    await scene.sleep(20)
    const followers: Follower[] = []
    for (let round = 0; round < 5; round += 1) followers.push(await scene.follow(two.engine))
    goesOn = false
    await writing
    const entries = await loadAll(one.engine)
    for (const follower of followers) {
      await scene.until('all changes', () => follower.entries.size === entries.length)
      expect(follower.list).toEqual(entries)
    }
  },

  'says that it is alive while nothing happens, and how far it is': async (scene) => {
    const { engine } = await scene.node()
    const revision = await putRevision(engine, 'a', '1')
    const follower = scene.watch(engine, revision - 1)
    await scene.until('three signs', () => follower.signs >= 3)
    expect(follower.revision).toBeGreaterThanOrEqual(revision)
    expect(follower.keys).toEqual(['a'])
  },

  'goes on from the revision at which another watch was closed': async (scene) => {
    const { engine } = await scene.node()
    const first = await scene.follow(engine)
    await putRevision(engine, 'a', '1')
    await scene.until('the first change', () => first.keys.includes('a'))
    first.close()
    const at = first.revision
    await putRevision(engine, 'b', '1')
    const second = scene.watch(engine, at, first.list)
    await scene.until('the second change', () => second.keys.includes('b'))
    expect(second.events.map(({ key }) => key)).toEqual(['b'])
    expect(first.events.map(({ key }) => key)).toEqual(['a'])
  },

  'lets a key go after its time, and not before, and tells it': async (scene) => {
    const { ttlMs, lateMs } = scene.traits
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(two.engine)
    const stays = await putRevision(one.engine, 'stays', '1')
    const askedAt = scene.now()
    await one.engine.write(CHARTER.epoch, [
      { key: 'goes', value: '1', expected: 0, ttlMs },
      { key: 'stays too', value: '1', expected: 0, ttlMs },
      { key: 'stays', value: '2', expected: stays },
    ])
    const answeredAt = scene.now()
    const [stored] = await one.engine.read(['stays too'])
    await putRevision(one.engine, 'stays too', '2', stored?.revision)
    await scene.until('the end of the key', () => follower.events.some(({ kind }) => kind === 'delete'))
    // The write was done between the two.
    expect(scene.now() - askedAt).toBeGreaterThanOrEqual(ttlMs)
    expect(scene.now() - answeredAt).toBeLessThanOrEqual(1.5 * ttlMs + lateMs)
    expect((await loadAll(one.engine)).map(({ key }) => key)).toEqual(['stays', 'stays too'])
    expect(follower.list).toEqual(await loadAll(one.engine))
    expect(await put(one.engine, 'goes', '2')).toMatchObject({ ok: true })
  },
}
