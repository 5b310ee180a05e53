/** A subscriber that comes from another node with a list that this one never had. */
import { type Delta, type Instance, parseLanes, partOf, PartSums, signOf, type View } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Directory } from '../directory/directory.js'
import { unbounded } from '../directory/budgets.fixture.js'
import { HistoryBudget } from '../directory/history.js'
import { fullView } from '../directory/view.js'
import { NO_METER } from '../metrics.js'
import { contentDigest } from '../records/digest.js'
import { QUIET } from '../simulated-node.fixture.js'
import { ORDERS } from './publisher.fixture.js'
import { PUBLISHER_DEFAULTS } from './options.js'
import { Publisher } from './publisher.js'
import type { Subscription, Update } from './subscription.js'
import { Views } from './views.js'

const keyOf = ({ group, id }: { readonly group: string; readonly id: string }): string => `${group}/${id}`

/** A node with its publisher. */
class Place {
  readonly directory = new Directory(new HistoryBudget(0), unbounded())
  readonly publisher = new Publisher(
    {
      directory: this.directory,
      views: new Views(this.directory, { guardOf: () => QUIET.guard }),
      meter: NO_METER,
      budgets: unbounded(),
    },
    PUBLISHER_DEFAULTS,
  )
  now = 0

  constructor(instances: number) {
    this.directory.follow(this.publisher)
    for (let place = 0; place < instances; place++) this.write(place, 1, 100)
  }

  /** Weight 0: it is deregistered. */
  write(place: number, rev: number, weight: number, incarnation = 1): void {
    const key = { ...ORDERS, group: place % 3 === 0 ? 'core' : 'default', id: `i${place}` }
    const shape = { host: '10.0.0.1', port: 1_000 * incarnation + place, metadata: {} }
    const content =
      weight === 0
        ? ({ intent: 'gone', rev, by: 'provider' } as const)
        : ({
            ...shape,
            intent: 'up',
            rev,
            weight,
            leaseMs: 15_000,
            liveness: 'lease',
            named: true,
            digest: contentDigest(key, incarnation, shape),
          } as const)
    const verdict = { value: 'up', claim: 1, node: 'n1', seq: 1, reason: 'test' } as const
    this.directory.propose({ ...key, incarnation, content, verdict }, { kind: 'verdict' }, this.now)
  }

  publish(): void {
    this.now += 1_000
    while (this.publisher.pending) this.publisher.flush(this.now)
  }

  get view(): View {
    return fullView(this.directory, ORDERS, this.now, QUIET)
  }
}

/** A client that mirrors, and compares by parts. */
class Reader {
  readonly held = new Map<string, Instance>()
  readonly updates: Update[] = []
  readonly subscription: Subscription
  /** The sign that it was told last. */
  to = ''

  constructor(from: Place, at: Place) {
    for (const item of from.view.instances) this.held.set(keyOf(item), item)
    const deliver = (update: Update): void => {
      this.updates.push(update)
      if (update.kind === 'delta') this.apply(update.delta)
      else {
        this.held.clear()
        for (const item of update.view.instances) this.held.set(keyOf(item), item)
        this.to = update.view.sign
      }
    }
    this.subscription = at.publisher.subscribe({ deliver }, () => at.now)
  }

  get sign(): string {
    return signOf(this.held.values())
  }

  sums(count: number): string {
    const sums = new PartSums(count)
    for (const { group, id, digest } of this.held.values())
      sums.add(partOf(group, id, count), parseLanes(digest))
    return sums.toString()
  }

  private apply({ to, upserts, removes, parts }: Delta): void {
    const listed = new Set(upserts.map(keyOf))
    for (const [key, { group, id }] of this.held)
      if (parts?.differing.includes(partOf(group, id, parts.count)) === true && !listed.has(key))
        this.held.delete(key)
    for (const item of upserts) this.held.set(keyOf(item), item)
    for (const item of removes) {
      if (listed.has(keyOf(item))) throw new Error('upserts and removes are disjoint')
      this.held.delete(keyOf(item))
    }
    this.to = to
  }
}

const change = fc.record({
  place: fc.integer({ min: 0, max: 219 }),
  rev: fc.integer({ min: 2, max: 5 }),
  weight: fc.constantFrom(0, 1, 2, 3),
})
const changes = fc.array(change, { maxLength: 12 })

describe('a list that this node never had', () => {
  it('is brought up to date by the parts that differ, whatever each node learnt in whatever order', () => {
    fc.assert(
      fc.property(changes, changes, changes, changes, (there, shared, here, meanwhile) => {
        const [from, at] = [new Place(200), new Place(200)]
        for (const { place, rev, weight } of [...there, ...shared]) from.write(place, rev, weight)
        for (const { place, rev, weight } of [...here, ...shared.toReversed()]) at.write(place, rev, weight)
        const reader = new Reader(from, at)
        const { sign } = reader
        const compare = reader.subscription.watch([{ ...ORDERS, sign, byParts: true }])
        const [wanted] = compare
        if (wanted !== undefined) {
          expect(reader.updates).toEqual([])
          // What is told while the sums are on their way is applied before the answer.
          const sums = reader.sums(wanted.parts)
          for (const { place, rev, weight } of meanwhile) at.write(place, rev + 4, weight)
          at.publish()
          expect(reader.subscription.watch([{ ...ORDERS, sign, sums, byParts: true }])).toEqual([])
          expect(reader.updates.every(({ kind }) => kind === 'delta')).toBe(true)
        }
        expect(reader.to === '' ? at.view.sign : reader.to).toBe(at.view.sign)
        expect(reader.sign).toBe(at.view.sign)
        at.write(7, 20, 9)
        at.publish()
        expect(reader.sign).toBe(at.view.sign)
      }),
    )
  })

  it('is sent in full where it is short, and to a client that cannot compare or shows what is no sum of it', () => {
    const full = (instances: number, show: (reader: Reader) => object): boolean => {
      const [from, at] = [new Place(instances), new Place(instances)]
      from.write(1, 2, 50)
      at.write(2, 2, 50)
      const reader = new Reader(from, at)
      reader.subscription.watch([{ ...ORDERS, sign: reader.sign, ...show(reader) }])
      return reader.updates[0]?.kind === 'view'
    }
    expect(full(50, () => ({ byParts: true }))).toBe(true)
    expect(full(100, () => ({}))).toBe(true)
    expect(full(100, () => ({ byParts: true }))).toBe(false)
    expect(full(100, (reader) => ({ sums: reader.sums(128) }))).toBe(false)
    expect(full(100, () => ({ sums: '0000'.repeat(128) }))).toBe(true)
    expect(full(100, (reader) => ({ sums: reader.sums(8) }))).toBe(true)
  })

  it('is not counted as known by its reader until that has compared it', () => {
    const [from, at] = [new Place(100), new Place(100)]
    from.write(1, 2, 50)
    at.write(2, 2, 50)
    at.publish()
    const reader = new Reader(from, at)
    const { sign } = reader
    const [wanted] = reader.subscription.watch([{ ...ORDERS, sign, byParts: true }])
    expect(at.publisher.audience([ORDERS])).toMatchObject({ subscribers: 1, acknowledged: 0 })
    reader.subscription.watch([{ ...ORDERS, sign, sums: reader.sums(wanted?.parts ?? 0) }])
    reader.subscription.ack(reader.updates[0]?.seq ?? 0)
    expect(at.publisher.audience([ORDERS])).toMatchObject({ subscribers: 1, acknowledged: 1 })
  })

  it('is compared with the list as it is, also when that was compared before', () => {
    const [from, at] = [new Place(100), new Place(100)]
    from.write(1, 2, 50)
    for (const place of [2, 3, 4]) {
      at.write(place, 2, 50)
      at.publish()
      const reader = new Reader(from, at)
      reader.subscription.watch([{ ...ORDERS, sign: reader.sign, sums: reader.sums(128) }])
      expect(reader.updates.map(({ kind }) => kind)).toEqual(['delta'])
      expect(reader.sign).toBe(at.view.sign)
      reader.subscription.close()
    }
  })

  it('loses none that another process holds under the same id now', () => {
    const [from, at] = [new Place(100), new Place(100)]
    from.write(1, 2, 50)
    at.write(5, 1, 50, 2)
    at.write(6, 2, 0)
    expect(at.view.removes?.map(({ reason }) => reason).sort()).toEqual(['deregistered', 'replaced'])
    const reader = new Reader(from, at)
    reader.subscription.watch([{ ...ORDERS, sign: reader.sign, sums: reader.sums(128) }])
    const [update] = reader.updates
    expect(update?.kind === 'delta' ? update.delta.removes : []).toMatchObject([
      { id: 'i6', reason: 'deregistered' },
    ])
    expect(reader.sign).toBe(at.view.sign)
  })

  it('is compared once for all who show the same, and by none who show something else', () => {
    const [from, at] = [new Place(100), new Place(100)]
    from.write(1, 2, 50)
    at.write(2, 2, 50)
    const readers = [new Reader(from, at), new Reader(from, at)]
    const stranger = new Reader(from, at)
    const { sign } = stranger
    const honest = stranger.sums(128)
    const lie = `${honest.slice(0, -4)}ffff`
    stranger.subscription.watch([{ ...ORDERS, sign, sums: lie }])
    for (const { subscription } of readers) subscription.watch([{ ...ORDERS, sign, sums: honest }])
    expect(readers[0]?.updates[0]).toBe(readers[1]?.updates[0])
    expect(readers.map((reader) => reader.sign)).toEqual([at.view.sign, at.view.sign])
    expect(stranger.updates[0]).not.toBe(readers[0]?.updates[0])
  })
})
