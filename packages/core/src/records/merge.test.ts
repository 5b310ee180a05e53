/** The laws of the merge. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from './encoding.js'
import { merge } from './merge.js'
import type { Content, Override, StoredRecord, Verdict } from './record.js'
import { keyOf } from '../simulated-node.fixture.js'
import { effectiveWeight, isLive, shownState } from './state.js'

// Ranges are tiny so that equal versions with different values happen all the time.
const few = fc.integer({ min: 1, max: 2 })
const nodes = fc.constantFrom('n1', 'n2')

const contents: fc.Arbitrary<Content> = fc.oneof(
  fc.record({
    intent: fc.constant('gone' as const),
    rev: few,
    by: fc.constantFrom('provider' as const, 'host' as const),
  }),
  fc.record({
    intent: fc.constantFrom('starting' as const, 'up' as const, 'draining' as const),
    rev: few,
    host: fc.constant('10.0.0.1'),
    port: few,
    weight: few,
    metadata: fc.constantFrom<Record<string, string>>({}, { b: '1', a: '2' }, { a: '2', b: '1' }),
    leaseMs: fc.constant(15_000),
    liveness: fc.constant('lease' as const),
    named: fc.boolean(),
    digest: fc.constantFrom('000000000000000a', '000000000000000b'),
  }),
)

const verdicts: fc.Arbitrary<Verdict> = fc.record({
  value: fc.constantFrom('up' as const, 'suspect' as const, 'down' as const, 'expired' as const),
  claim: few,
  node: nodes,
  seq: few,
  reason: fc.constantFrom('heard', 'silence'),
})

const overrides: fc.Arbitrary<Override> = fc.record(
  {
    counter: few,
    node: nodes,
    value: fc.option(
      fc.record(
        { drain: fc.boolean(), disable: fc.boolean(), weight: fc.record({ value: few, incarnation: few }) },
        { requiredKeys: [] },
      ),
    ),
    why: fc.constantFrom('a', 'b'),
  },
  { requiredKeys: ['counter', 'node', 'value'] },
)

const records: fc.Arbitrary<StoredRecord> = fc
  .record({
    incarnation: few,
    content: contents,
    verdict: verdicts,
    override: fc.option(overrides, { nil: undefined }),
    // Members of a later release, beside the registers.
    later: fc.record(
      { owner: fc.constantFrom('ann', 'bob', 'christine'), tags: fc.array(few, { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
  })
  .map(({ override, later, ...rest }) => ({
    ...keyOf('a'),
    ...rest,
    ...(override === undefined ? {} : { override }),
    ...later,
  }))

const RUNS = { numRuns: 2_000 }

/** Any tree of merges over the records, in any order, some of them more than once. */
function mergedInSomeOrder(all: readonly StoredRecord[], picks: readonly number[]): StoredRecord {
  const heap = [...all, ...picks.flatMap((pick) => all.slice(pick % all.length, (pick % all.length) + 1))]
  let turn = 0
  const take = (): StoredRecord => {
    const [taken] = heap.splice((picks[turn++ % picks.length] ?? 0) % heap.length, 1)
    if (taken === undefined) throw new Error('nothing left to merge')
    return taken
  }
  while (heap.length > 1) heap.push(merge(take(), take()))
  return take()
}

describe('merge', () => {
  it('does not depend on which side is which', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        expect(merge(a, b)).toEqual(merge(b, a))
      }),
      RUNS,
    )
  })

  it('does not depend on grouping', () => {
    fc.assert(
      fc.property(records, records, records, (a, b, c) => {
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)))
      }),
      RUNS,
    )
  })

  it('does not depend on order or repetition of deliveries', () => {
    const lists = fc.array(records, { minLength: 1, maxLength: 5 })
    const picks = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(lists, picks, picks, (all, first, second) => {
        expect(mergedInSomeOrder(all, first)).toEqual(mergedInSomeOrder(all, second))
      }),
      RUNS,
    )
  })

  it('returns the first value itself when the second adds nothing', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        const joined = merge(a, b)
        expect(merge(joined, a)).toBe(joined)
        expect(merge(joined, b)).toBe(joined)
        expect(merge(joined, structuredClone(b))).toBe(joined)
        expect(merge(a, structuredClone(a))).toBe(a)
      }),
      RUNS,
    )
  })

  it('loses no member of a later release that either side has, also when registers come from both', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        const names = new Set([...Object.keys(a), ...Object.keys(b)])
        expect(new Set(Object.keys(merge(a, b)))).toEqual(names)
      }),
      RUNS,
    )
  })

  it('never brings a deregistered incarnation back, whatever arrives in whatever order', () => {
    fc.assert(
      fc.property(records, records, fc.array(records, { maxLength: 4 }), (source, other, others) => {
        const gone: StoredRecord = { ...source, content: { intent: 'gone', rev: 1, by: 'provider' } }
        let value = other
        for (const record of [gone, ...others]) value = merge(value, record)
        expect(value.incarnation).toBeGreaterThanOrEqual(gone.incarnation)
        if (value.incarnation === gone.incarnation) expect(shownState(value)).toBeNull()
      }),
      RUNS,
    )
  })

  it('lets a higher incarnation take content and verdict together', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        fc.pre(a.incarnation > b.incarnation)
        const { content, verdict, incarnation } = merge(a, b)
        expect({ content, verdict, incarnation }).toEqual({
          content: a.content,
          verdict: a.verdict,
          incarnation: a.incarnation,
        })
      }),
      RUNS,
    )
  })

  it('orders verdicts of one claim by their node, and only those of one node by their number', () => {
    const { namespace, service, group, id } = keyOf('a')
    const content = { intent: 'gone', rev: 1, by: 'provider' } as const
    const of = (claim: number, node: string, seq: number): StoredRecord => ({
      ...{ namespace, service, group, id, incarnation: 1, content },
      verdict: { value: 'up', claim, node, seq, reason: 'heard' },
    })
    const order = [of(1, 'n1', 1), of(1, 'n1', 9), of(1, 'n2', 2), of(1, 'n2', 3), of(2, 'n1', 1)]
    for (const [index, newer] of order.entries())
      for (const older of order.slice(0, index))
        expect([merge(older, newer).verdict, merge(newer, older).verdict]).toEqual([
          newer.verdict,
          newer.verdict,
        ])
  })

  it('keeps the newest override whatever happens to incarnations', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        const counters = [a, b].map(({ override }) => override?.counter ?? 0)
        expect(merge(a, b).override?.counter ?? 0).toBe(Math.max(...counters))
      }),
      RUNS,
    )
  })
})

describe('an override', () => {
  const record = (incarnation: number, override?: Override): StoredRecord => ({
    ...keyOf('a'),
    incarnation,
    content: {
      intent: 'up',
      rev: 1,
      host: '10.0.0.1',
      port: 1,
      weight: 100,
      metadata: {},
      leaseMs: 15_000,
      liveness: 'lease',
      named: true,
      digest: '000000000000000a',
    },
    verdict: { value: 'up', claim: 1, node: 'n1', seq: 1, reason: 'registered' },
    ...(override === undefined ? {} : { override }),
  })

  it('drains the successor as well, in either order of arrival (M5)', () => {
    const drained = record(5, { counter: 1, node: 'n1', value: { drain: true } })
    expect(shownState(merge(drained, record(6)))).toBe('draining')
    expect(shownState(merge(record(6), drained))).toBe('draining')
  })

  it('of the weight holds for the incarnation it names and for no other', () => {
    const weighted = record(5, {
      counter: 1,
      node: 'n1',
      value: { weight: { value: 7, incarnation: 5 } },
    })
    const successor = merge(weighted, record(6))
    expect(isLive(weighted) && effectiveWeight(weighted)).toBe(7)
    expect(isLive(successor) && effectiveWeight(successor)).toBe(100)
  })

  it('that was cleared wins over the older one it cleared', () => {
    const drained = record(5, { counter: 1, node: 'n1', value: { drain: true } })
    const cleared = record(5, { counter: 2, node: 'n1', value: null })
    expect(shownState(merge(drained, cleared))).toBe('up')
    expect(shownState(merge(cleared, drained))).toBe('up')
  })
})

describe('encode', () => {
  it('gives one string for one value, however it was built', () => {
    expect(encode({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}')
    expect(encode({ x: 1, y: 2 })).toBe(encode({ y: 2, x: 1 }))
  })
})
