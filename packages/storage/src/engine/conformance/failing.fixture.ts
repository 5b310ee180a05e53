/** What an engine promises while its connection fails, or its store. */
import { expect } from 'vitest'
import { CHARTER, loadAll, outcomeOf, put, putRevision } from './harness.fixture.js'
import { Holder } from './holding.fixture.js'
import type { Tests } from './tests.fixture.js'

/** Of one node. */
export const LINES: Tests = {
  'rejects everything while it is cut off, by the deadline, and misses nothing afterwards': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(one.engine)
    await putRevision(two.engine, 'a', '1')
    await scene.until('the change before', () => follower.keys.length === 1)
    one.line.cut()
    const cutAt = scene.now()
    const attempts = [
      put(one.engine, 'b', '1'),
      one.engine.load(() => {}),
      one.engine.read(['a']),
      one.engine.join(CHARTER),
    ].map(outcomeOf)
    for (let index = 0; index < 10; index += 1) await putRevision(two.engine, `c${index}`, '1')
    expect(await Promise.all(attempts)).toEqual(Array(4).fill('unavailable'))
    expect(scene.now() - cutAt).toBeLessThan(scene.traits.deadlineMs)
    expect(follower.keys).toEqual(['a'])
    one.line.heal()
    await scene.until('what was missed', () => follower.keys.includes('c9'))
    const entries = await loadAll(two.engine)
    await scene.until('the rest', () => follower.entries.size === entries.length)
    expect(follower.list).toEqual(entries)
    expect(follower.events.length).toBe(entries.length)
    expect(follower.failure).toBeUndefined()
  },

  'makes another connection when one breaks, and misses nothing': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(one.engine)
    for (let index = 0; index < 5; index += 1) {
      const outcome = outcomeOf(put(one.engine, `a${index}`, '1'))
      one.line.reset()
      expect(['done', 'unavailable']).toContain(await outcome)
      await putRevision(two.engine, `b${index}`, '1')
      await putRevision(one.engine, `c${index}`, '1')
    }
    const entries = await loadAll(two.engine)
    await scene.until('all changes', () => follower.entries.size === entries.length)
    expect(follower.list).toEqual(entries)
    expect(follower.events.length).toBe(entries.length)
    expect(follower.failure).toBeUndefined()
  },

  'leaves it open what was done when answers are lost': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(two.engine)
    one.line.loseAnswers()
    const outcome = outcomeOf(put(one.engine, 'a', '1'))
    await scene.until('the write', () => follower.keys.includes('a'))
    expect(await outcome).toBe('unavailable')
    one.line.heal()
    const [stored] = follower.list
    // The writer asks again, as for any write that may have been done or not.
    const again = await put(one.engine, 'a', '1')
    if (again.ok) expect(again.revision).toBe(stored?.revision)
    else expect(again.stored).toEqual(stored)
    expect(follower.events.length).toBe(1)
    expect(await put(one.engine, 'b', '1')).toMatchObject({ ok: true })
  },

  'waits for an answer that comes late': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(one.engine)
    one.line.delay(300)
    const revision = await putRevision(one.engine, 'a', '1')
    for (let index = 0; index < 10; index += 1) await putRevision(two.engine, `b${index}`, '1')
    expect(await one.engine.read(['a'])).toEqual([{ key: 'a', value: '1', revision }])
    await scene.until('all changes', () => follower.entries.size === 11)
    one.line.delay(0)
    expect(follower.list).toEqual(await loadAll(two.engine))
  },
}

/** Of the store. */
export const STORES: Tests = {
  'goes on after all members were down: nothing that it acknowledged is lost, nothing is missed': async (
    scene,
  ) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const follower = await scene.follow(one.engine)
    const holder = new Holder(scene, two.engine)
    await scene.until('the held key', () => follower.keys.length === 1)
    await putRevision(two.engine, 'a', '1')
    await scene.store.stop()
    expect(await outcomeOf(put(one.engine, 'b', '1'))).toBe('unavailable')
    await scene.store.start()
    await scene.until('a write', () => holder.told.at(-1) === 'kept')
    const stored = new Set((await loadAll(two.engine)).map(({ key }) => key))
    expect(stored.has('a')).toBe(true)
    await putRevision(two.engine, 'c', '1')
    await scene.until('the change', () => follower.keys.includes('c'))
    expect(follower.list).toEqual(await loadAll(one.engine))
    expect(follower.failure).toBeUndefined()
  },

  'ends a watch whose past is compacted, and one that was cut off meanwhile': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const [current, behind] = [await scene.follow(two.engine), await scene.follow(one.engine)]
    const past = await putRevision(two.engine, 'a', '1')
    await scene.until('the change', () => behind.keys.length === 1 && current.keys.length === 1)
    one.line.cut()
    for (let index = 0; index < 5; index += 1) await putRevision(two.engine, `b${index}`, '1')
    await scene.until('all changes', () => current.entries.size === 6)
    await scene.store.compact()
    // What was on its way is lost with the connection.
    one.line.reset()
    one.line.heal()
    await scene.until('the end', () => behind.failure !== undefined)
    expect(behind.failure).toBe('compacted')
    const late = scene.watch(two.engine, past)
    await scene.until('the end', () => late.failure !== undefined)
    expect(late.failure).toBe('compacted')
    const anew = await scene.follow(one.engine)
    await putRevision(two.engine, 'c', '1')
    for (const follower of [current, anew]) {
      await scene.until('the change', () => follower.keys.includes('c'))
      expect(follower.list).toEqual(await loadAll(two.engine))
      expect(follower.failure).toBeUndefined()
    }
  },

  'tells when nothing is there any more, and begins again': async (scene) => {
    const { engine } = await scene.node()
    for (let index = 0; index < 5; index += 1) await putRevision(engine, `a${index}`, '1')
    const follower = await scene.follow(engine)
    const holder = new Holder(scene, engine)
    await scene.until('the held key', () => holder.told.length === 1)
    await scene.store.wipe()
    // Another node is faster, and writes so much that revisions do not show that they began again.
    const charter = { ...CHARTER, epoch: 'e2', secret: 's2' }
    const other = await scene.harness.connect()
    await other.engine.join(charter)
    for (let index = 0; index < 30; index += 1)
      await other.engine.write('e2', [{ key: `b${index}`, value: '1', expected: 0 }])
    await scene.until('the end', () => follower.failure !== undefined)
    expect(follower.failure).toBe('epoch')
    expect(await outcomeOf(put(engine, 'c', '1'))).toBe('epoch')
    await scene.until('the loss', () => holder.told.length > 1)
    expect(await engine.join({ ...CHARTER, epoch: 'e3' })).toEqual(charter)
    await scene.until('the key again', () => holder.told.at(-1) === 'kept')
    const anew = await scene.follow(engine)
    expect(anew.list).toEqual(await loadAll(other.engine))
    expect(anew.entries.size).toBe(31)
    const written = await engine.write('e2', [{ key: 'd', value: '1', expected: 0 }])
    expect(written).toMatchObject([{ ok: true }])
    await scene.until('the change', () => anew.keys.includes('d'))
  },

  'tells when an older backup stands there, and begins again with it': async (scene) => {
    const { engine } = await scene.node()
    await putRevision(engine, 'a', '1')
    const restore = await scene.store.backup()
    for (let index = 0; index < 20; index += 1) await putRevision(engine, `b${index}`, '1')
    const follower = await scene.follow(engine)
    await restore()
    await scene.until('the end', () => follower.failure !== undefined)
    expect(follower.failure).toBe('epoch')
    expect(await outcomeOf(put(engine, 'c', '1'))).toBe('epoch')
    expect(await engine.join(CHARTER)).toEqual(CHARTER)
    const future = scene.watch(engine, follower.revision)
    await scene.until('the end', () => future.failure !== undefined)
    expect(future.failure).toBe('epoch')
    const anew = await scene.follow(engine)
    expect(anew.keys).not.toContain('b0')
    expect(anew.keys).toContain('a')
    await putRevision(engine, 'd', '1')
    await scene.until('the change', () => anew.keys.includes('d'))
  },

  'refuses writes and goes on with everything else while the store is full': async (scene) => {
    const { engine } = await scene.node()
    const revision = await putRevision(engine, 'a', '1')
    const follower = await scene.follow(engine)
    const holder = new Holder(scene, engine)
    await scene.until('the held key', () => follower.keys.length === 2)
    await scene.store.fill()
    expect(await outcomeOf(put(engine, 'b', '1'))).toBe('full')
    expect(await outcomeOf(put(engine, 'a', '2', revision))).toBe('full')
    await scene.until('the alarm', () => engine.status().alarms.includes('NOSPACE'))
    expect(await engine.read(['a'])).toMatchObject([{ value: '1' }])
    const signs = follower.signs
    await scene.sleep(2 * scene.traits.holdMs)
    await scene.until('a sign', () => follower.signs > signs)
    expect(holder.told).toEqual(['kept'])
    await scene.store.free()
    expect(await put(engine, 'b', '1')).toMatchObject({ ok: true })
    await scene.until('the change', () => follower.keys.includes('b'))
  },

  'lets a node join while the store is full, when there is a charter': async (scene) => {
    const [one, two, other] = [
      await scene.node(),
      await scene.harness.connect(),
      await scene.harness.connect(),
    ]
    await putRevision(one.engine, 'a', '1')
    await scene.store.fill()
    try {
      expect(await two.engine.join({ ...CHARTER, epoch: 'e2' })).toEqual(CHARTER)
      expect(await loadAll(two.engine)).toMatchObject([{ key: 'a' }])
      expect(await outcomeOf(other.engine.join({ ...CHARTER, cluster: 'bank' }))).toBe('incompatible')
    } finally {
      await scene.store.free()
    }
  },
}
