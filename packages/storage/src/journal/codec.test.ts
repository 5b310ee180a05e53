/** Entries come back from bytes as they were. */
import type { JournalEntry, StoredRecord } from '@rollcall/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEntries, encodeEntries } from './codec.js'
import { entryOf, goneOf, keyOf, recordOf, registerOf } from './journal.fixture.js'

const LIMITS = { entriesMax: 10_000, bytesMax: 1_000_000 }

const word = fc.oneof(
  fc.constantFrom('', 'a', 'b', '__proto__', '"\\', '\u0000', 'ä€😀', '\ud800'),
  fc.string({ maxLength: 8 }),
)
const version = fc.constantFrom(0, 1, 2, Number.MAX_SAFE_INTEGER)
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })

/** Leaves members out instead of setting them to undefined, as the types demand. */
function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}

const liveRecord = fc
  .record({
    key: fc.record({ namespace: word, service: word, group: word, id: word }),
    incarnation: version,
    content: fc.record({
      intent: fc.constantFrom('starting', 'up', 'draining'),
      rev: version,
      host: word,
      port: version,
      protocol: optional(word),
      weight: version,
      zone: optional(word),
      metadata: fc.dictionary(word, word, { maxKeys: 3 }),
      leaseMs: version,
      liveness: fc.constantFrom('lease', 'probe', 'static'),
      probe: optional(fc.constant({ type: 'http', path: '/x' })),
      named: fc.boolean(),
      peer: optional(word),
      restored: optional(fc.constant(true)),
      foreign: optional(fc.record({ protocol: word, document: word })),
      digest: word,
    }),
    verdict: fc.record({
      value: fc.constantFrom('up', 'suspect', 'down', 'expired'),
      claim: version,
      node: word,
      seq: version,
      reason: word,
    }),
    override: optional(
      fc.record({
        counter: version,
        node: word,
        value: fc.option(fc.record({ drain: fc.constant(true), durationMs: version })),
        by: word,
      }),
    ),
    baseline: optional(fc.constant(true)),
  })
  .map(({ key, incarnation, content, verdict, override, baseline }): JournalEntry => {
    const record = present({ ...key, incarnation, content: present(content), verdict, override })
    return present({ kind: 'record', record: record as unknown as StoredRecord, baseline }) as JournalEntry
  })

const entry: fc.Arbitrary<JournalEntry> = fc.oneof(
  { weight: 6, arbitrary: liveRecord },
  { weight: 1, arbitrary: fc.tuple(fc.nat(9), version).map(([index, rev]) => goneOf(index, rev)) },
  {
    weight: 1,
    arbitrary: fc
      .nat(9)
      .map((index): JournalEntry => ({ kind: 'forget', key: keyOf(index), incarnation: index })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(9), version).map(([index, rev]): JournalEntry => {
      const { content, ...record } = recordOf(index, rev)
      if (content.intent === 'gone') throw new Error('the fixture makes live records')
      return {
        kind: 'record',
        record: { ...record, content: { intent: 'gone', rev, by: 'host', last: content } },
      }
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(word, optional(word)).map(([namespace, why]): JournalEntry => ({
      kind: 'freeze',
      namespace,
      register: { counter: 7, node: 'n', value: why === undefined ? null : true, by: 'ops' },
    })),
  },
  {
    weight: 1,
    arbitrary: word.map((service): JournalEntry => ({
      kind: 'service',
      namespace: 'n',
      service,
      register: registerOf(null),
    })),
  },
)

function roundTrip(
  entries: readonly JournalEntry[],
  limits = LIMITS,
): { decoded: JournalEntry[]; frames: number } {
  const decoded: JournalEntry[] = []
  let frames = 0
  for (let start = 0; start < entries.length; frames++) {
    const { payload, taken } = encodeEntries(entries, start, limits)
    decodeEntries(payload, (each) => decoded.push(each as JournalEntry))
    start += taken
  }
  return { decoded, frames }
}

describe('entries as bytes', () => {
  it('come back as they were, whatever is in them and whatever came before', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        // Records are plain JSON data by contract; the generator also makes objects without a prototype.
        expect(roundTrip(entries).decoded).toStrictEqual(JSON.parse(JSON.stringify(entries)))
      }),
      { numRuns: 300 },
    )
  })

  it('do not depend on other frames', () => {
    const entries = Array.from({ length: 3_000 }, (_, index) => entryOf(index % 7, index))
    const { decoded, frames } = roundTrip(entries, { entriesMax: 1_000, bytesMax: 1_000_000 })
    expect(decoded).toStrictEqual(entries)
    expect(frames).toBe(3)
  })

  it('stop at the size limit, but never before the first slice', () => {
    const entries = Array.from({ length: 2_000 }, (_, index) => entryOf(index, index))
    expect(encodeEntries(entries, 0, { entriesMax: 10_000, bytesMax: 1 }).taken).toBe(512)
    expect(roundTrip(entries, { entriesMax: 10_000, bytesMax: 1 }).decoded).toStrictEqual(entries)
  })

  it('repeat nothing that the record before said', () => {
    const one = encodeEntries([entryOf(1, 1)], 0, LIMITS).payload.length
    const record = recordOf(1, 1)
    const twice = encodeEntries(
      [
        { kind: 'record', record },
        { kind: 'record', record },
      ],
      0,
      LIMITS,
    ).payload.length
    expect(twice - one).toBeLessThan(8)
  })

  it('that this version does not know are refused, not guessed', () => {
    const decode = (text: string) => () => decodeEntries(Buffer.from(text), () => undefined)
    expect(decode('[[["x",268435456]]]')).toThrow(expect.objectContaining({ kind: 'damaged' }))
    expect(decode('[[["x","y",1]]]')).toThrow(expect.objectContaining({ kind: 'damaged' }))
    expect(decode('[[')).toThrow(expect.objectContaining({ kind: 'damaged' }))
  })
})
