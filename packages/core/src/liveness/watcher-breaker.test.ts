/** When a node doubts its own ears. */
import { describe, expect, it } from 'vitest'
import type { Evidence } from './evidence.js'
import { WATCHER_BREAKER_DEFAULTS, WatcherBreaker } from './watcher-breaker.js'

const LEASE_MS = 10_000

/** A node that hears one zone; instances are numbers, and nothing of a watch matters but that it is the same one. */
class Ears {
  /** `+` = a doubt begins, `-` = it ends. */
  readonly told: string[] = []
  readonly breaker = new WatcherBreaker(WATCHER_BREAKER_DEFAULTS, (notice) => {
    if (notice.kind === 'watcher_doubt') this.told.push(notice.doubting ? '+' : '-')
  })
  private readonly all: Evidence[] = []

  constructor(heard: number) {
    for (let index = 0; index < heard; index++) {
      this.all.push({} as Evidence)
      this.breaker.joined('z')
    }
  }

  evidence(index: number): Evidence {
    return this.all[index] as Evidence
  }

  silence(from: number, to: number, t: number): void {
    for (let index = from; index < to; index++)
      this.breaker.fellSilent('z', this.evidence(index), t, LEASE_MS)
  }

  trusts(index: number, t: number): boolean {
    return this.breaker.trustsSilence('z', this.evidence(index), t, LEASE_MS)
  }
}

describe('what falls silent within one lease', () => {
  it('is doubted from the tenth and the fifth on', () => {
    const few = new Ears(40)
    few.silence(0, 4, 0)
    expect(few.trusts(0, 0)).toBe(true)
    few.silence(4, 5, LEASE_MS)
    expect(few.trusts(0, LEASE_MS)).toBe(false)
    const share = new Ears(100)
    share.silence(0, 10, 0)
    expect(share.trusts(0, 0)).toBe(true)
    share.silence(10, 11, 0)
    expect(share.told).toEqual(['+'])
  })

  it('is a matter of that lease: one after the other is believed', () => {
    const ears = new Ears(40)
    for (let index = 0; index < 30; index++) {
      ears.silence(index, index + 1, index * 3_000)
      expect(ears.trusts(index, index * 3_000)).toBe(true)
    }
    expect(ears.told).toEqual([])
  })
})

describe('a doubt', () => {
  it('is over when two leases are, if others are heard, and its instances are no news then', () => {
    const ears = new Ears(40)
    ears.silence(0, 12, 0)
    expect(ears.trusts(0, 2 * LEASE_MS - 1)).toBe(false)
    for (let index = 0; index < 12; index++) expect(ears.trusts(index, 2 * LEASE_MS)).toBe(true)
    expect(ears.told).toEqual(['+', '-'])
    ears.silence(12, 16, 2 * LEASE_MS)
    expect(ears.trusts(12, 2 * LEASE_MS)).toBe(true)
  })

  it('that nobody else was heard in lasts, until somebody is', () => {
    const ears = new Ears(6)
    ears.silence(0, 6, 0)
    expect(ears.trusts(0, 100 * LEASE_MS)).toBe(false)
    ears.breaker.spoke('z', ears.evidence(5))
    expect(ears.trusts(0, 100 * LEASE_MS)).toBe(true)
  })

  it('that a refusal came in is no deafness, but one from before says nothing', () => {
    const ears = new Ears(7)
    const refused = (index: number, t: number): void => {
      expect(ears.breaker.believesRefusal('z', t, LEASE_MS)).toBe(true)
      ears.breaker.settled('z', ears.evidence(index))
    }
    refused(6, 0)
    ears.silence(0, 6, 1)
    expect(ears.trusts(0, 100 * LEASE_MS)).toBe(false)
    refused(5, 100 * LEASE_MS)
    expect(ears.trusts(0, 100 * LEASE_MS)).toBe(true)
  })

  it('ends when enough are heard again or gone; the others are news as any', () => {
    const ears = new Ears(40)
    ears.silence(0, 6, 0)
    ears.breaker.spoke('z', ears.evidence(0))
    expect(ears.trusts(1, 0)).toBe(false)
    ears.breaker.left('z', ears.evidence(1))
    expect(ears.trusts(2, 0)).toBe(true)
    ears.silence(0, 1, LEASE_MS)
    expect(ears.told).toEqual(['+', '-', '+'])
  })

  it('takes in what falls silent within a lease of its begin; later masses are doubts of their own', () => {
    const ears = new Ears(60)
    ears.silence(0, 12, 0)
    ears.silence(12, 20, LEASE_MS)
    ears.silence(20, 24, LEASE_MS + 1)
    expect(ears.trusts(20, LEASE_MS + 1)).toBe(false)
    ears.silence(24, 30, 2 * LEASE_MS - 1)
    for (let index = 0; index < 20; index++) expect(ears.trusts(index, 2 * LEASE_MS)).toBe(true)
    expect(ears.trusts(20, 4 * LEASE_MS - 2)).toBe(false)
    expect(ears.told).toEqual(['+'])
    for (let index = 20; index < 30; index++) expect(ears.trusts(index, 4 * LEASE_MS - 1)).toBe(true)
    expect(ears.told).toEqual(['+', '-'])
  })

  it('holds back whoever falls silent meanwhile, as long as it lasts', () => {
    const ears = new Ears(40)
    ears.silence(0, 12, 0)
    ears.silence(12, 13, LEASE_MS + 1)
    expect(ears.trusts(12, LEASE_MS + 1)).toBe(false)
    expect(ears.breaker.doubtedAt('z', ears.evidence(12))).toBe(0)
    expect(ears.trusts(12, 2 * LEASE_MS)).toBe(true)
  })
})

describe('what the node hears', () => {
  it('does not include those it has given up: a tenth of the rest is a mass', () => {
    const ears = new Ears(200)
    let t = 0
    for (const [from, to] of [
      [0, 100],
      [100, 150],
    ] as const) {
      ears.silence(from, to, t)
      t += 3 * LEASE_MS
      for (let index = from; index < to; index++) expect(ears.trusts(index, t)).toBe(true)
    }
    ears.silence(150, 156, t)
    expect(ears.trusts(150, t)).toBe(false)
  })

  it('does not include those that refused', () => {
    const ears = new Ears(100)
    for (let index = 0; index < 50; index++) {
      expect(ears.breaker.believesRefusal('z', 0, LEASE_MS)).toBe(true)
      ears.breaker.settled('z', ears.evidence(index))
    }
    // Half of what was heard is the most that is believed within a lease.
    expect(ears.breaker.believesRefusal('z', 0, LEASE_MS)).toBe(false)
    ears.silence(50, 56, 0)
    expect(ears.trusts(50, 0)).toBe(false)
  })

  it('is nothing any more once all have left, and the doubt with it', () => {
    const ears = new Ears(6)
    ears.silence(0, 6, 0)
    for (let index = 0; index < 6; index++) ears.breaker.left('z', ears.evidence(index))
    expect(ears.told).toEqual(['+', '-'])
    expect(ears.breaker.doubtedAt('z', ears.evidence(0))).toBeUndefined()
  })
})

describe('refusals', () => {
  it('of one process a minute are believed at once, however many there were', () => {
    const ears = new Ears(30)
    const believed = Array.from({ length: 60 }, (_, n) =>
      ears.breaker.believesRefusal('z', n * 60_000, LEASE_MS),
    )
    expect(believed).not.toContain(false)
  })

  it('beyond the half within a lease are not, until that lease is over', () => {
    const ears = new Ears(30)
    for (let n = 0; n < 20; n++) {
      expect(ears.breaker.believesRefusal('z', n, LEASE_MS)).toBe(true)
      ears.breaker.settled('z', ears.evidence(n))
    }
    expect(ears.breaker.believesRefusal('z', 20, LEASE_MS)).toBe(false)
    expect(ears.breaker.believesRefusal('z', LEASE_MS + 20, LEASE_MS)).toBe(true)
  })
})
