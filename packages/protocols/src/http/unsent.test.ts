/** The account of what readers have not taken: shared bytes once, at the cost of a reader that still waits. */
import { Budget } from '@rollcall/core'
import { isRegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { Unsent } from './unsent.js'

const A = '10.0.0.1'
const B = '10.0.0.2'
const MB = 1_000_000

function setUp(max = 10 * MB): { budget: Budget; unsent: Unsent } {
  const budget = new Budget({}, { quota: 'unsentBytesMax', max, what: 'bytes' })
  return { budget, unsent: new Unsent(budget) }
}

function isAdmitted(unsent: Unsent, peer: string, body: Uint8Array | number): boolean {
  try {
    unsent.admit(peer, body)
    return true
  } catch (error) {
    if (isRegistryError(error) && error.code === 'limit_exceeded') return false
    throw error
  }
}

describe('the account of unsent bytes', () => {
  it('counts the same bytes once, for the reader that has waited longest', () => {
    const { budget, unsent } = setUp()
    const body = Buffer.alloc(2 * MB)
    const first = unsent.hold(A, body)
    const second = unsent.hold(B, body)
    const third = unsent.hold(B, body)
    expect([budget.usedBy(A), budget.usedBy(B)]).toEqual([2 * MB, 0])
    second()
    first()
    first()
    expect([budget.usedBy(A), budget.usedBy(B)]).toEqual([0, 2 * MB])
    third()
    expect([budget.used, budget.peers]).toEqual([0, 0])
    unsent.hold(A, body)()
    expect(budget.used).toBe(0)
  })

  it('counts other bytes for themselves', () => {
    const { budget, unsent } = setUp()
    unsent.hold(A, Buffer.alloc(MB))
    const release = unsent.holdUpTo(A, MB)
    expect(budget.used).toBe(2 * MB)
    release()
    expect(budget.used).toBe(MB)
  })

  it('refuses what there is no room for, but not what is short or held already', () => {
    const { unsent } = setUp()
    const body = Buffer.alloc(4 * MB)
    unsent.hold(A, body)
    unsent.hold(A, Buffer.alloc(3 * MB))
    const more = [body, 16_384, 16_385, MB].map((each) => isAdmitted(unsent, A, each))
    expect(more).toEqual([true, true, true, false])
    expect([isAdmitted(unsent, B, MB), isAdmitted(unsent, B, 4 * MB)]).toEqual([true, false])
    expect([unsent.isFull(A), unsent.isFull(B)]).toEqual([false, false])
    unsent.hold(A, Buffer.alloc(MB))
    expect([unsent.isFull(A), unsent.isFull(B)]).toEqual([true, false])
  })

  it('lets a peer have one answer that is longer than all it could hold', () => {
    const { unsent } = setUp()
    const long = Buffer.alloc(40 * MB)
    expect(isAdmitted(unsent, A, long)).toBe(true)
    unsent.hold(A, long)
    expect(isAdmitted(unsent, A, 20_000)).toBe(false)
    expect(isAdmitted(unsent, B, 40 * MB)).toBe(false)
  })
})
