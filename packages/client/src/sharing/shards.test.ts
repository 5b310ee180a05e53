/** The shards of a process. */
import type { Instance } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import { membersOf } from './members.js'
import type { OwnRegistration } from './members.js'
import { WorkSharing } from './shards.js'
import type { Registration, ShardChange } from '../api.js'

const [A, B, C] = ['a', 'b', 'c'].map((id) => instance(id)) as [Instance, Instance, Instance]
const COUNT = 30

function setUp(registered: OwnRegistration[] = [{ ...A, state: 'up' }]) {
  // Only the members of OwnRegistration are read.
  const sharing = new WorkSharing(() => registered as Registration[])
  return { sharing, registered, list: (...list: Instance[]) => sharing.listed(list, 'registry') }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
}

describe('members', () => {
  it('are up or suspect, in the order of group and id', () => {
    const states = ['starting', 'up', 'suspect', 'down', 'draining', 'disabled'] as const
    const list = states.map((state, n) => instance(`${9 - n}`, { state }))
    const other = instance('0', { group: 'zebra' })
    expect(membersOf([other, ...list]).map(({ group, id }) => `${group}/${id}`)).toEqual([
      'default/7',
      'default/8',
      'zebra/0',
    ])
  })

  it('do not depend on the order of the list', () => {
    const { sharing, list } = setUp()
    list(C, A, B)
    expect(sharing.members()).toEqual([A, B, C])
  })
})

describe('shards', () => {
  it('are no member’s before there is a list', () => {
    const shards = setUp().sharing.shards(COUNT)
    expect([shards.own(), shards.owner(0)]).toEqual([[], undefined])
  })

  it('are this process’s own by its registration, and together all', () => {
    const each = [A, B, C].map((own) => {
      const { sharing, list } = setUp([{ ...own, state: 'up' }])
      list(A, B, C)
      return sharing.shards(COUNT)
    })
    const all = each.flatMap((shards) => shards.own()).sort((a, b) => a - b)
    expect(all).toEqual(Array.from({ length: COUNT }, (_, shard) => shard))
    expect(new Set(each.map((shards) => shards.owner(7)))).toHaveLength(1)
  })

  it('stay with a suspect, and move when it is down', () => {
    const { sharing, list } = setUp()
    list(A, B)
    const shards = sharing.shards(COUNT)
    const before = shards.own()
    list(A, { ...B, state: 'suspect' })
    expect(shards.own()).toEqual(before)
    list(A, { ...B, state: 'down' })
    expect(shards.own()).toHaveLength(COUNT)
  })

  it.each([
    ['a registration that drains', { ...A, state: 'draining' as const }],
    ['a registration that lost its id', { ...A, state: 'conflict' as const }],
    ['another process at the id', { ...A, port: 81, state: 'up' as const }],
    ['another service', { ...A, service: 'payments', state: 'up' as const }],
  ])('are not given to %s', (_, registration) => {
    const { sharing, list } = setUp([registration])
    list(A, B)
    expect(sharing.shards(COUNT).own()).toEqual([])
  })

  it('belong to a registration made anew as before', () => {
    const { sharing, list } = setUp([{ ...A, state: 'pending' }])
    list({ ...A, incarnation: 7 })
    expect(sharing.shards(COUNT).own()).toHaveLength(COUNT)
  })

  it('are the same object for the same count, and refuse what is no count and no shard', () => {
    const { sharing } = setUp()
    expect(sharing.shards(COUNT)).toBe(sharing.shards(COUNT))
    const wrong = expect.objectContaining({ code: 'invalid_argument' }) as Error
    for (const count of [0, 1.5, -1, 65_537, Number.NaN]) expect(() => sharing.shards(count)).toThrow(wrong)
    for (const shard of [-1, COUNT, 0.5]) expect(() => sharing.shards(COUNT).owner(shard)).toThrow(wrong)
  })
})

describe('changes of shards', () => {
  it('begin with the present, tell only differences, and merge what was missed', async () => {
    const { sharing, list } = setUp()
    const shards = sharing.shards(COUNT)
    const changes = shards.changes()
    const first = changes.next()
    list(A)
    expect((await first).value).toMatchObject({ gained: shards.own(), lost: [], source: 'registry' })
    const second = changes.next()
    list({ ...A, metadata: { v: '2' } })
    await settle()
    list(A, B)
    const { gained, lost, own } = (await second).value as ShardChange
    expect([gained.length, lost.length + own.length]).toEqual([0, COUNT])
    list(A, B, C)
    await settle()
    list(A)
    await settle()
    const third = (await changes.next()).value as ShardChange
    expect(third.own).toHaveLength(COUNT)
    expect(third.gained).toEqual(lost)
  })

  it('tell that all is lost when the registration drains, and end with the client', async () => {
    const { sharing, list, registered } = setUp()
    list(A, B)
    const shards = sharing.shards(COUNT)
    const changes = shards.changes()
    const own = ((await changes.next()).value as ShardChange).own
    registered[0] = { ...A, state: 'draining' }
    sharing.changed()
    expect((await changes.next()).value).toMatchObject({ own: [], lost: own })
    const last = changes.next()
    sharing.end()
    expect(await last).toEqual({ done: true, value: undefined })
    expect(shards.own()).toEqual([])
    expect(await shards.changes().next()).toMatchObject({ done: true })
    expect(
      await sharing
        .shards(COUNT + 1)
        .changes()
        .next(),
    ).toMatchObject({ done: true })
  })

  it('end by return, and reject on abort', async () => {
    const { sharing, list } = setUp()
    list(A)
    const shards = sharing.shards(COUNT)
    for await (const { own } of shards.changes()) {
      expect(own).toHaveLength(COUNT)
      break
    }
    const controller = new AbortController()
    const changes = shards.changes({ signal: controller.signal })
    await changes.next()
    const waiting = changes.next()
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    await expect(changes.next()).rejects.toMatchObject({ code: 'aborted' })
  })
})
