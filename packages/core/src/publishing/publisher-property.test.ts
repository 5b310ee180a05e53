/** Whatever changes, every subscriber ends with the list. */
import { signOf, type ViewName } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentDigest } from '../records/digest.js'
import { Directory } from '../directory/directory.js'
import { HistoryBudget } from '../directory/history.js'
import { unbounded } from '../directory/budgets.fixture.js'
import { NO_METER } from '../metrics.js'
import { Mirror } from '../directory/mirror.fixture.js'
import type { Subscription, Update } from './subscription.js'
import { QUIET } from '../simulated-node.fixture.js'
import { PUBLISHER_DEFAULTS } from './options.js'
import { Publisher } from './publisher.js'
import { Views } from './views.js'
import type { StoredRecord, VerdictValue } from '../records/record.js'
import { signOfView } from '../directory/view.js'

type Step =
  | {
      readonly do: 'write'
      readonly group: string
      readonly id: string
      readonly value: VerdictValue | 'gone'
      readonly weight: number
    }
  | { readonly do: 'restart'; readonly group: string; readonly id: string; readonly port: number }
  | { readonly do: 'forget'; readonly group: string; readonly id: string }
  | { readonly do: 'pass'; readonly ms: number; readonly flush: boolean }
  | { readonly do: 'outlive' }
  | { readonly do: SubscriberStep; readonly who: number }

type SubscriberStep = 'join' | 'rejoin' | 'rejoin lost' | 'leave' | 'stall' | 'drain' | 'resync'

const VIEWS: readonly ViewName[] = [
  { namespace: 'default', service: 'orders' },
  { namespace: 'default', service: 'orders', group: 'g1' },
  { namespace: 'default', service: 'orders', group: 'g2' },
  { namespace: 'default', service: 'orders' },
  { namespace: 'default', service: 'orders', group: 'g1' },
]

const instance = { group: fc.constantFrom('g1', 'g2'), id: fc.constantFrom('a', 'b') }
const write = fc.record({
  do: fc.constant('write' as const),
  ...instance,
  value: fc.constantFrom(
    'up' as const,
    'suspect' as const,
    'down' as const,
    'expired' as const,
    'gone' as const,
  ),
  weight: fc.constantFrom(1, 2),
})
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: write },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('restart' as const), ...instance, port: fc.constantFrom(1, 2) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), ...instance }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 30, 120, 1_100),
      flush: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom<SubscriberStep>(
        'join',
        'rejoin',
        'rejoin lost',
        'leave',
        'stall',
        'drain',
        'resync',
      ),
      who: fc.nat(VIEWS.length - 1),
    }),
  },
)

/** The same with moments at which other services push everything out of the shared history. */
const crowded = fc.oneof(
  { weight: 15, arbitrary: steps },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'outlive' }) },
)

const LENGTH = { maxLength: 60, size: 'max' } as const

interface Subscriber {
  readonly mirror: Mirror
  subscription: Subscription | undefined
  stalled: boolean
}

/** Interprets steps. Every subscriber checks each update the moment it arrives. */
class World {
  now = 0
  readonly directory = new Directory(new HistoryBudget(0), unbounded())
  readonly publisher = new Publisher(
    {
      directory: this.directory,
      views: new Views(this.directory, { guardOf: () => QUIET.guard }),
      meter: NO_METER,
      budgets: unbounded(),
    },
    // One or two deliveries in a turn: whatever can happen happens also in the middle of a telling.
    { ...PUBLISHER_DEFAULTS, workPerTurn: 12 },
  )
  readonly subscribers: Subscriber[] = VIEWS.map((name) => ({
    mirror: new Mirror(name),
    subscription: undefined,
    stalled: false,
  }))
  private version = 0
  private readonly incarnations = new Map<string, number>()
  private readonly ports = new Map<string, number>()

  constructor() {
    this.directory.follow(this.publisher)
  }

  take(step: Step): void {
    if (step.do === 'write') this.write(step.group, step.id, step.value, step.weight)
    else if (step.do === 'restart') {
      const key = `${step.group}/${step.id}`
      this.incarnations.set(key, (this.incarnations.get(key) ?? 1) + 1)
      this.ports.set(key, step.port)
      this.write(step.group, step.id, 'up', 1)
    } else if (step.do === 'forget') this.forget(step.group, step.id)
    else if (step.do === 'outlive') this.outlive()
    else if (step.do === 'pass') {
      this.now += step.ms
      if (step.flush) this.publisher.flush(this.now)
    } else {
      const subscriber = this.subscribers[step.who]
      if (subscriber !== undefined) this.subscriber(step.do, subscriber)
    }
  }

  private write(group: string, id: string, value: VerdictValue | 'gone', weight: number): void {
    const key = `${group}/${id}`
    const existing = this.directory.entry({ namespace: 'default', service: 'orders', group, id })
    if (value !== 'gone' && existing?.record.content.intent === 'gone') {
      this.incarnations.set(key, existing.record.incarnation + 1)
    }
    this.apply('orders', group, id, this.incarnations.get(key) ?? 1, value, weight, this.ports.get(key) ?? 1)
  }

  private apply(
    service: string,
    group: string,
    id: string,
    incarnation: number,
    value: VerdictValue | 'gone',
    weight: number,
    port: number,
  ): void {
    const rev = ++this.version
    const key = { namespace: 'default', service, group, id }
    const shape = { host: '10.0.0.1', port, metadata: {} }
    const record: StoredRecord = {
      ...key,
      incarnation,
      content:
        value === 'gone'
          ? { intent: 'gone', rev, by: 'provider' }
          : {
              ...shape,
              intent: 'up',
              rev,
              weight,
              leaseMs: 15_000,
              liveness: 'lease',
              named: true,
              digest: contentDigest(key, incarnation, shape),
            },
      verdict: { value: value === 'gone' ? 'up' : value, claim: 1, node: 'n1', seq: rev, reason: 'test' },
    }
    this.directory.propose(record, { kind: 'verdict' }, this.now)
  }

  private forget(group: string, id: string): void {
    const entry = this.directory.entry({ namespace: 'default', service: 'orders', group, id })
    if (entry !== undefined && entry.state === null) this.directory.forget(entry)
  }

  private outlive(): void {
    for (let index = 0; index < 1_100; index++)
      this.apply('noise', 'g1', 'n', 1, index % 2 === 0 ? 'up' : 'suspect', 1, 1)
  }

  private subscriber(action: SubscriberStep, whom: Subscriber): void {
    const { mirror, subscription } = whom
    if (action === 'join' || action === 'rejoin' || action === 'rejoin lost') {
      subscription?.close()
      whom.stalled = false
      const subscriber = {
        deliver: (update: Update): void => {
          if (whom.stalled) throw new Error('delivered to a stalled subscriber')
          if (whom.subscription !== opened) throw new Error('delivered to a closed subscription')
          mirror.apply(update)
        },
      }
      const opened = this.publisher.subscribe(subscriber, () => this.now)
      whom.subscription = opened
      const sign = action === 'join' ? undefined : action === 'rejoin' ? mirror.sign : 'ffffffffffffffff'
      opened.watch([sign === undefined ? mirror.name : { ...mirror.name, sign }])
      if (mirror.sign !== signOfView(this.directory, mirror.name)) throw new Error('not current at once')
      return
    }
    if (subscription === undefined) return
    if (action === 'leave') {
      subscription.close()
      whom.subscription = undefined
      whom.stalled = false
    } else if (action === 'stall') {
      whom.stalled = true
      subscription.stalled()
    } else if (action === 'drain') {
      whom.stalled = false
      subscription.drained()
    } else subscription.resync([mirror.name])
  }

  /** Lets everybody catch up. Gives what those who still watch hold, and what they should. */
  settle(): { readonly held: readonly Picture[]; readonly truth: readonly Picture[] } {
    const watching = this.subscribers.filter(({ subscription }) => subscription !== undefined)
    for (const whom of watching) this.subscriber('drain', whom)
    this.now += 1_000
    for (let turns = 0; this.publisher.pending; turns++) {
      if (turns > 100) throw new Error('something was not told')
      this.publisher.flush(this.now)
    }
    const truth = watching.map(({ mirror }) => Mirror.truth(this.directory, mirror.name, this.now))
    for (const { sign, list } of truth)
      if (sign !== signOf(list.values())) throw new Error('the sign is not the sum')
    return { held: watching.map(({ mirror: { sign, list } }) => ({ sign, list })), truth }
  }
}

/** A view as far as it matters: its sign and its list. */
type Picture = ReturnType<typeof Mirror.truth>

function play(history: readonly Step[]): ReturnType<World['settle']> {
  const world = new World()
  for (const who of VIEWS.keys()) world.take({ do: 'join', who })
  for (const step of history) world.take(step)
  return world.settle()
}

describe('what subscribers are sent', () => {
  it('is exactly the list, for any history and any moments of joining, stalling and leaving', () => {
    const property = fc.property(fc.array(steps, LENGTH), (history) => {
      const { held, truth } = play(history)
      expect(held).toEqual(truth)
    })
    fc.assert(property, { numRuns: 500 })
  })

  it('is exactly the list also when history is pushed out of memory meanwhile', () => {
    const property = fc.property(fc.array(crowded, LENGTH), (history) => {
      const { held, truth } = play(history)
      expect(held).toEqual(truth)
    })
    fc.assert(property, { numRuns: 40 })
  })

  // Signs recur (A, B, A): found or feared schedules, kept as cases.
  const up = (id: string, value: VerdictValue = 'up'): Step => ({
    do: 'write',
    group: 'g1',
    id,
    value,
    weight: 1,
  })
  const flush: Step = { do: 'pass', ms: 1_100, flush: true }
  it.each<[string, readonly Step[]]>([
    [
      'there and back within one window',
      [up('a'), { do: 'join', who: 0 }, up('a', 'suspect'), up('a'), flush],
    ],
    [
      'a join in the middle of a window that ends where it began',
      [up('a'), { do: 'join', who: 0 }, up('a', 'suspect'), { do: 'join', who: 3 }, up('a'), flush],
    ],
    [
      'a rejoin with the sign that will recur',
      [
        up('a'),
        { do: 'join', who: 0 },
        { do: 'join', who: 3 },
        up('a', 'down'),
        { do: 'rejoin', who: 3 },
        up('a'),
        flush,
        up('b'),
        flush,
      ],
    ],
    [
      'a subscriber that stalls before the change and drains before its publication',
      [
        up('a'),
        { do: 'join', who: 0 },
        { do: 'stall', who: 0 },
        up('a', 'down'),
        flush,
        up('b'),
        { do: 'drain', who: 0 },
        up('b', 'down'),
        flush,
      ],
    ],
    [
      'an instance that is forgotten before its removal is published',
      [up('a'), up('b'), flush, up('a', 'expired'), { do: 'forget', group: 'g1', id: 'a' }, flush],
    ],
    [
      'a service that was forgotten and begins anew',
      [
        up('a'),
        { do: 'join', who: 0 },
        up('a', 'expired'),
        { do: 'forget', group: 'g1', id: 'a' },
        up('b'),
        flush,
      ],
    ],
  ])('survives %s', (_, history) => {
    const { held, truth } = play(history)
    expect(held).toEqual(truth)
  })
})
