/** The merge of registers and the version of a write. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinRegisters, nextRegister, type Register } from './register.js'

type Tiny = Register<number>

// Ranges are tiny so that equal versions with different values happen all the time.
const registers: fc.Arbitrary<Tiny> = fc.record(
  {
    counter: fc.integer({ min: 1, max: 2 }),
    node: fc.constantFrom('n1', 'n2'),
    value: fc.option(fc.integer({ min: 1, max: 2 })),
    by: fc.constantFrom('a', 'b'),
  },
  { requiredKeys: ['counter', 'node', 'value'] },
)

const RUNS = { numRuns: 2_000 }

describe('joining registers', () => {
  it('does not depend on side, grouping or repetition', () => {
    fc.assert(
      fc.property(registers, registers, registers, (a, b, c) => {
        expect(joinRegisters(a, b)).toEqual(joinRegisters(b, a))
        expect(joinRegisters(joinRegisters(a, b), c)).toEqual(joinRegisters(a, joinRegisters(b, c)))
        const joined = joinRegisters(a, b)
        expect(joinRegisters(joined, a)).toBe(joined)
        expect(joinRegisters(joined, structuredClone(b))).toBe(joined)
        expect(joinRegisters(a, structuredClone(a))).toBe(a)
      }),
      RUNS,
    )
  })

  it('knows no order of arrival: any sequence of the same replicas gives one value', () => {
    const replicas = fc.array(registers, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(replicas, fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }), (all, picks) => {
        const again = picks.map((pick) => all[pick % all.length] as Tiny)
        const join = (list: readonly Tiny[]): Tiny => list.reduce((a, b) => joinRegisters(a, b))
        expect(join([...again, ...all])).toEqual(join([...all].reverse()))
      }),
      RUNS,
    )
  })
})

/** A replica at which a register is written, forgotten, and learnt from elsewhere. */
class Replica {
  wall: number
  held: Tiny | undefined
  private readonly nodeId: string

  constructor(nodeId: string, wall: number) {
    this.nodeId = nodeId
    this.wall = wall
  }

  write(value: number | null): Tiny {
    this.held = nextRegister(this.held, value, { nodeId: this.nodeId, wallNow: () => this.wall })
    return this.held
  }

  learn(other: Tiny | undefined): void {
    if (other !== undefined) this.held = this.held === undefined ? other : joinRegisters(this.held, other)
  }
}

describe('the next value of a register', () => {
  it('is above the stored one, however far behind the wall clock of the writer is', () => {
    const ahead = new Replica('n1', 9_000)
    const behind = new Replica('n2', 1_000)
    ahead.write(1)
    behind.learn(ahead.held)
    expect(behind.write(2)).toMatchObject({ counter: 9_001, node: 'n2' })
    ahead.learn(behind.held)
    expect(ahead.held).toMatchObject({ value: 2 })
  })

  it('wins over old replicas of what was removed and forgotten', () => {
    const here = new Replica('n1', 1_000)
    const old = here.write(1)
    for (let times = 0; times < 50; times++) here.write(times)
    here.write(null)
    here.held = undefined
    here.wall += 3_600_000
    here.write(2)
    here.learn(old)
    expect(here.held).toMatchObject({ value: 2 })
  })

  it('of a removal wins over the value that it removed, at every replica and in every order', () => {
    const here = new Replica('n1', 1_000)
    const old = here.write(1)
    const removal = here.write(null)
    for (const order of [
      [old, removal],
      [removal, old],
    ]) {
      const there = new Replica('n2', 0)
      for (const replica of order) there.learn(replica)
      expect(there.held).toMatchObject({ value: null })
    }
  })
})
