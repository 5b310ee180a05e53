/** How durable a step is called: strongest sink, weakest item, and no waiting for one that hangs. */
import type { JournalEntry, StoredRecord } from '@rollcall/core'
import { HandClock, settle } from '@rollcall/testkit/time'
import type { Durability } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { Commits, type Sink } from './commits.js'
import { HandJournal } from './node-driver.fixture.js'

/** What a test gets at: two sinks that answer when it says so. */
interface Scene {
  readonly clock: HandClock
  readonly commits: Commits
  readonly disk: HandJournal
  readonly engine: HandJournal
}

function scene(): Scene {
  const clock = new HandClock()
  const commits = new Commits(clock)
  const [disk, engine] = [new HandJournal(), new HandJournal()]
  for (const sink of [disk, engine]) {
    sink.manual = true
    commits.attach(sink)
  }
  engine.durability = 'replicated'
  return { clock, commits, disk, engine }
}

function recordOf(id: string): StoredRecord {
  return { namespace: 'default', service: 'orders', group: 'default', id } as StoredRecord
}

/** A step that writes records, and what it is answered; `held`: all records that it concerned. */
function step(
  { commits }: Scene,
  written: readonly StoredRecord[],
  need?: Durability,
  held: readonly StoredRecord[] = written,
): { answer: Promise<Durability>; now: () => string } {
  const entries: JournalEntry[] = written.map((record) => ({ kind: 'record', record }))
  for (const entry of entries) commits.add(entry)
  const answer = commits.settled(commits.write(), () => held, { need })
  let state = 'waits'
  answer.then(
    (durability) => (state = durability),
    (error: Error) => (state = error.message),
  )
  return { answer, now: () => state }
}

const NEVER = 'waits'

describe('a commit to two sinks', () => {
  it('is answered with the strongest level that one of them reached', async () => {
    const all = scene()
    const { now } = step(all, [recordOf('a')])
    all.disk.commit()
    await settle()
    expect(now()).toBe(NEVER)
    all.engine.commit()
    await settle()
    expect(now()).toBe('replicated')
  })

  it.each([
    ['memory', 'replicated', 'replicated'],
    ['disk', 'memory', 'disk'],
    ['memory', 'memory', 'memory'],
  ] as const)('of which the disk gives %s and the engine %s is %s', async (disk, engine, expected) => {
    const all = scene()
    const { now } = step(all, [recordOf('a')])
    all.disk.commit(disk)
    all.engine.commit(engine)
    await settle()
    expect(now()).toBe(expected)
  })

  it('waits for the slow one a moment, once the other made it durable', async () => {
    const all = scene()
    const { now } = step(all, [recordOf('a')])
    all.disk.commit()
    await settle()
    all.clock.advance(249)
    await settle()
    expect(now()).toBe(NEVER)
    all.clock.advance(1)
    await settle()
    expect(now()).toBe('disk')
  })

  it('waits for the slow one as long as the other keeps nothing', async () => {
    const all = scene()
    const { now } = step(all, [recordOf('a')])
    all.disk.commit('memory')
    await settle()
    all.clock.advance(5_000)
    await settle()
    expect(now()).toBe(NEVER)
    all.engine.commit()
    await settle()
    expect(now()).toBe('replicated')
  })

  it.each([
    ['memory', undefined, 'memory'],
    ['disk', 'replicated', 'accepted with durability disk, not replicated'],
  ] as const)(
    'does not wait for ever for one that hangs: %s, where %s is needed',
    async (level, need, expected) => {
      const all = scene()
      const { now } = step(all, [recordOf('a')], need)
      all.disk.commit(level)
      await settle()
      all.clock.advance(9_999)
      await settle()
      expect(now()).toBe(NEVER)
      all.clock.advance(1)
      await settle()
      expect(now()).toBe(expected)
      expect(all.clock.timers).toEqual([])
      // What it says later is for nothing, and harms nothing.
      all.engine.commit()
      await settle()
    },
  )

  it('that need not be stronger is answered as soon as one of them reached that', async () => {
    const all = scene()
    const { now } = step(all, [recordOf('a')], 'disk')
    all.disk.commit()
    await settle()
    expect(now()).toBe('disk')
    expect(all.clock.timers).toEqual([])
  })

  it('that must be replicated waits for longer, or fails', async () => {
    const all = scene()
    const [patient, failed] = [
      step(all, [recordOf('a')], 'replicated'),
      step(all, [recordOf('b')], 'replicated'),
    ]
    for (const sink of [all.disk, all.disk]) sink.commit()
    await settle()
    all.clock.advance(9_000)
    await settle()
    expect(patient.now()).toBe(NEVER)
    all.engine.commit()
    all.engine.commit('memory')
    await settle()
    expect(patient.now()).toBe('replicated')
    expect(failed.now()).toBe('accepted with durability disk, not replicated')
  })

  it('counts a closed sink as one that kept nothing', async () => {
    const all = scene()
    all.engine.closed = true
    const { now } = step(all, [recordOf('a')])
    all.disk.commit()
    await settle()
    expect(now()).toBe('disk')
  })
})

describe('a step', () => {
  it('whose items were durable already is not held up by those of others', async () => {
    const all = scene()
    const other = step(all, [recordOf('other')])
    const { now } = step(all, [], undefined, [recordOf('mine')])
    await settle()
    expect([now(), other.now()]).toEqual(['replicated', NEVER])
  })

  it('whose item a sink could not keep before is as durable as that has become', async () => {
    const all = scene()
    const [lost, mine] = [recordOf('lost'), recordOf('mine')]
    const first = step(all, [lost])
    all.disk.commit('disk')
    all.engine.commit('memory')
    await settle()
    expect(first.now()).toBe('disk')
    const asked: (readonly StoredRecord[])[] = []
    const engine: Sink = all.engine
    engine.kept = (records) => {
      asked.push(records)
      return Promise.resolve('memory')
    }
    const again = step(all, [], undefined, [lost])
    const both = step(all, [mine], undefined, [lost, mine])
    for (const sink of [all.disk, all.engine]) sink.commit()
    await settle()
    expect([again.now(), both.now()]).toEqual(['disk', 'disk'])
    expect(asked).toEqual([[lost], [lost]])
  })

  it('is not weakened by what became of others', async () => {
    const all = scene()
    const [weak, strong] = [step(all, [recordOf('a')]), step(all, [recordOf('b')])]
    all.disk.commit('memory')
    all.engine.commit('memory')
    all.disk.commit('disk')
    all.engine.commit('replicated')
    await settle()
    expect([weak.now(), strong.now()]).toEqual(['memory', 'replicated'])
  })

  it('that concerns an item on its way by an earlier step waits for that, and the weakest item decides', async () => {
    const all = scene()
    const [shared, mine] = [recordOf('shared'), recordOf('mine')]
    const first = step(all, [shared])
    const { now } = step(all, [mine], undefined, [shared, mine])
    for (const level of ['disk', 'disk'] as const) all.disk.commit(level)
    all.engine.commit('memory')
    await settle()
    expect(first.now()).toBe('disk')
    expect(now()).toBe(NEVER)
    all.engine.commit('replicated')
    await settle()
    expect(now()).toBe('disk')
  })

  it('without any sink is in memory, at once', async () => {
    const commits = new Commits(new HandClock())
    expect(await commits.settled(undefined, () => [])).toBe('memory')
    commits.add({ kind: 'record', record: recordOf('a') })
    expect(await commits.settled(commits.write(), () => [recordOf('a')])).toBe('memory')
  })
})
