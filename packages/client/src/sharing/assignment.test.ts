/** Rendezvous hashing. */
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Assignment } from './assignment.js'
import { instance } from '../clusters/stage.fixture.js'

const list = (ids: readonly string[]): Instance[] => ids.map((id) => instance(id))

/** The owner of every shard, from nothing. */
function assigned(count: number, ids: readonly string[]): (string | undefined)[] {
  const assignment = new Assignment(count)
  assignment.update(list(ids))
  return owners(assignment, count)
}

function owners(assignment: Assignment, count: number): (string | undefined)[] {
  return Array.from({ length: count }, (_, shard) => assignment.owner(shard)?.id)
}

const ids = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { maxLength: 12 })
const counts = fc.integer({ min: 1, max: 200 })

describe('the assignment of shards', () => {
  it('gives every shard to a member, and none without members', () => {
    fc.assert(
      fc.property(ids, counts, (members, count) => {
        for (const owner of assigned(count, members))
          if (members.length === 0) expect(owner).toBeUndefined()
          else expect(members).toContain(owner)
      }),
    )
  })

  it('follows from the members alone, whatever was before and in whatever order they come', () => {
    const histories = fc.array(ids, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(histories, counts, (steps, count) => {
        const assignment = new Assignment(count)
        for (const members of steps) {
          assignment.update(list(members))
          expect(owners(assignment, count)).toEqual(assigned(count, members.toReversed()))
        }
      }),
    )
  })

  it('moves only the shards of who leaves, and only to who joins', () => {
    fc.assert(
      fc.property(ids, ids, counts, (before, after, count) => {
        const [old, now] = [assigned(count, before), assigned(count, after)]
        for (let shard = 0; shard < count; shard += 1) {
          if (old[shard] === now[shard]) continue
          const left = !after.includes(old[shard]!)
          const joined = now[shard] !== undefined && !before.includes(now[shard]!)
          expect(left || joined).toBe(true)
        }
      }),
    )
  })

  it('spreads shards as dice would', () => {
    for (const size of [2, 5, 10, 50]) {
      const members = Array.from({ length: size }, (_, n) => `10.0.${n >> 4}.${n & 15}:8080`)
      const share = 400
      const shares = new Map(members.map((id) => [id, 0]))
      for (const owner of assigned(size * share, members)) shares.set(owner!, shares.get(owner!)! + 1)
      // Five standard deviations.
      for (const shards of shares.values())
        expect(Math.abs(shards - share)).toBeLessThan(5 * Math.sqrt(share))
    }
  })

  it('does not look at anything but group and id', () => {
    const assignment = new Assignment(50)
    assignment.update(list(['a', 'b', 'c']))
    const before = owners(assignment, 50)
    assignment.update([
      instance('c', { weight: 0, incarnation: 9, port: 9 }),
      instance('a', { state: 'suspect' }),
      instance('b'),
    ])
    expect(owners(assignment, 50)).toEqual(before)
    expect(assignment.owner(before.indexOf('c'))).toMatchObject({ incarnation: 9, port: 9 })
  })

  it('is the same in every version of this client: these vectors never change', () => {
    expect(assigned(16, ['a', 'b', 'c']).join('')).toBe('aaabbbaacbbccbba')
    const addresses = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '[::1]:80']
    expect(
      assigned(16, addresses)
        .map((id) => addresses.indexOf(id!))
        .join(''),
    ).toBe('1130101123031210')
  })
})
