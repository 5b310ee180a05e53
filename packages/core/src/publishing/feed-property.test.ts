// Readers that follow the feed hold what the directory lists, whatever happens and at whatever pace they read.
import { ALL_NAMESPACES } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Directory } from '../directory/directory.js'
import { HistoryBudget } from '../directory/history.js'
import { unbounded } from '../directory/budgets.fixture.js'
import { NO_METER } from '../metrics.js'
import { contentDigest } from '../records/digest.js'
import type { StoredRecord, VerdictValue } from '../records/record.js'
import type { Register } from '../records/register.js'
import { CHANGE_BYTES, Feed, type FeedChange, type FeedName } from './feed.js'

const NAMESPACES = ['a', 'b']
const SERVICES = ['s', 't']
const GROUPS = ['g', 'h']
const IDS = ['1', '2']
/** Few enough that readers fall behind what is remembered. */
const REMEMBERED = 6
const BOOT = 1_000
const LEARNT = { kind: 'learnt' } as const

interface Key {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
}

type Step =
  | {
      readonly do: 'write' | 'load'
      readonly key: Key
      readonly value: VerdictValue | 'gone'
      readonly port: number
    }
  | { readonly do: 'forget'; readonly key: Key }
  | { readonly do: 'declare' | 'undeclare'; readonly key: Key }
  | { readonly do: 'freeze'; readonly namespace: string }
  | { readonly do: 'vanish'; readonly namespace: string }
  | { readonly do: 'read'; readonly reader: number; readonly limit: number }

const key: fc.Arbitrary<Key> = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  service: fc.constantFrom(...SERVICES),
  group: fc.constantFrom(...GROUPS),
  id: fc.constantFrom(...IDS),
})
const value = fc.constantFrom<VerdictValue | 'gone'>('up', 'suspect', 'expired', 'gone')
const port = fc.constantFrom(1, 2)

/** One in three writes goes to one instance, so that it comes and goes often. */
const hot = fc.constant<Key>({ namespace: 'a', service: 's', group: 'g', id: '1' })
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('write' as const), key: fc.oneof(key, key, hot), value, port }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('forget' as const), key: fc.oneof(key, hot) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('declare' as const, 'undeclare' as const), key }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('freeze' as const),
      namespace: fc.constantFrom(...NAMESPACES, ALL_NAMESPACES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('vanish' as const),
      namespace: fc.constantFrom(...NAMESPACES),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      reader: fc.nat(NAMESPACES.length),
      limit: fc.constantFrom(1, 2, 100),
    }),
  },
)

/** The same with moments at which a journal is loaded. */
const reloaded = fc.oneof(
  { weight: 20, arbitrary: steps },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('load' as const), key, value, port }) },
)

/** Everything that has an index. */
const NAMES: readonly FeedName[] = [...NAMESPACES, 'never'].flatMap((namespace) => [
  { namespace },
  ...SERVICES.flatMap((service) => [
    { namespace, service },
    ...GROUPS.map((group) => ({ namespace, service, group })),
  ]),
])

/** Holds one namespace, or all (without one), by what the feed tells it. */
class Reader {
  readonly namespace: string | undefined
  private readonly world: World
  private held = new Map<string, string>()
  private declared = new Set<string>()
  private frozen = 0
  private index = 0
  paging = false
  lost = 0

  constructor(world: World, namespace: string | undefined) {
    this.world = world
    this.namespace = namespace
  }

  /** Reads one page; at its end it holds exactly what is listed. */
  read(limit: number): void {
    const { feed } = this.world
    const answer = feed.since(this.namespace, this.index, limit)
    if (answer.kind === 'lost') {
      this.lost++
      this.held = this.world.listed(this.namespace)
      this.declared = this.world.declaredIn(this.namespace)
      this.frozen = this.world.frozenOf(this.namespace)
    } else {
      check(answer.changes.length <= limit, 'a page is too long')
      const indices = answer.changes.map(({ index }) => index)
      check(
        indices.every((index, place) => index > (indices[place - 1] ?? 0)),
        'told out of order',
      )
      check(new Set(answer.changes.map(nameOf)).size === answer.changes.length, 'a key is told twice')
      for (const change of answer.changes) this.take(change, !this.paging && !answer.more)
      check(answer.more ? answer.next > this.index : answer.next === feed.index, 'a page leads nowhere')
    }
    this.index = answer.next
    this.paging = answer.kind === 'changes' && answer.more
    if (this.paging) return
    const [held, listed] = [this.held, this.world.listed(this.namespace)].map(inOrder)
    check(held === listed, `holds ${held}, listed is ${listed}`)
    const [declared, truth] = [this.declared, this.world.declaredIn(this.namespace)].map(inOrder)
    check(declared === truth, `holds ${declared}, declared is ${truth}`)
    check(this.frozen === this.world.frozenOf(this.namespace), 'missed a freeze')
    const again = feed.since(this.namespace, this.index, 1)
    check(again.kind === 'changes' && again.changes.length === 0 && !again.more, 'the end is not the end')
  }

  private take(change: FeedChange, whole: boolean): void {
    const mine = [undefined, change.namespace].includes(this.namespace) || change.namespace === ALL_NAMESPACES
    check(mine, 'told of another namespace')
    check(change.index > this.index, 'told what was told before')
    const name = nameOf(change)
    if (change.kind === 'namespace') this.frozen = this.world.frozenOf(this.namespace)
    else if (change.kind === 'service') {
      if (this.world.isDeclared(change)) this.declared.add(name)
      else this.declared.delete(name)
    } else if (change.kind === 'removed') this.held.delete(name)
    else {
      // Read in one go, a change is of an instance that was held.
      if (whole && change.kind === 'changed') check(this.held.has(name), 'a change of what was not held')
      const present = this.world.listed(change.namespace).get(name)
      if (present !== undefined) this.held.set(name, present)
    }
  }
}

function inOrder(names: Iterable<unknown>): string {
  return [...names].map(String).sort().join()
}

function nameOf(change: FeedChange): string {
  if (change.kind === 'namespace') return change.namespace
  if (change.kind === 'service') return `${change.namespace}/${change.service}`
  return `${change.namespace}/${change.service}/${change.group}/${change.id}`
}

class World {
  readonly directory = new Directory(new HistoryBudget(0), unbounded())
  readonly feed = new Feed(
    { directory: this.directory, meter: NO_METER },
    { wallNow: BOOT, bytesMax: REMEMBERED * CHANGE_BYTES },
  )
  readonly readers = [...NAMESPACES, undefined].map((namespace) => new Reader(this, namespace))
  private readonly freezes = new Map<string, number>()
  private seq = 0

  constructor() {
    this.directory.follow(this.feed)
  }

  /** Takes a step; indices never go back, and what looks different has a higher one. */
  take(step: Step): void {
    const before = NAMES.map((name) => ({ index: this.feed.indexOf(name), look: this.look(name) }))
    this.do(step)
    check(this.feed.bytes <= REMEMBERED * CHANGE_BYTES, 'over the budget')
    NAMES.forEach((name, place) => {
      const index = this.feed.indexOf(name)
      const { index: former, look } = before[place] ?? { index: 0, look: '' }
      check(
        index >= Math.max(former, BOOT) && index <= this.feed.index,
        `an index went from ${former} to ${index}`,
      )
      if (this.look(name) !== look || step.do === 'load')
        check(index > former, 'looks different at the same index')
    })
  }

  listed(namespace: string | undefined): Map<string, string> {
    const listed = new Map<string, string>()
    for (const { record, state, hi, lo } of this.directory.entries()) {
      if (state === null || (namespace ?? record.namespace) !== record.namespace) continue
      const name = `${record.namespace}/${record.service}/${record.group}/${record.id}`
      listed.set(name, `${record.incarnation} ${hi} ${lo}`)
    }
    return listed
  }

  declaredIn(namespace: string | undefined): Set<string> {
    const names = NAMES.filter((name) => name.service !== undefined && name.group === undefined)
    const declared = names.filter(
      (name) => (namespace ?? name.namespace) === name.namespace && this.isDeclared(name),
    )
    return new Set(declared.map((name) => `${name.namespace}/${name.service}`))
  }

  isDeclared({ namespace, service }: FeedName): boolean {
    return service !== undefined && this.directory.find(namespace, service)?.settings !== undefined
  }

  frozenOf(namespace: string | undefined): number {
    let count = 0
    for (const [name, times] of this.freezes)
      if (namespace === undefined || name === namespace || name === ALL_NAMESPACES) count += times
    return count
  }

  private look({ namespace, service, group }: FeedName): string {
    if (service !== undefined) {
      const sum = this.directory.sum(
        group === undefined ? { namespace, service } : { namespace, service, group },
      )
      const declared = group === undefined ? String(this.isDeclared({ namespace, service })) : ''
      return `${sum?.toString() ?? '0000000000000000'} ${declared}`
    }
    const parts = [...this.listed(namespace)].map(([name, shown]) => `${name} ${shown}`).sort()
    return [...parts, ...this.declaredIn(namespace), this.frozenOf(namespace)].join()
  }

  private do(step: Step): void {
    if (step.do === 'read') this.readers[step.reader]?.read(step.limit)
    else if (step.do === 'write') this.directory.propose(this.record(step), LEARNT, 0)
    else if (step.do === 'load') {
      this.directory.unfollowed(() => this.directory.propose(this.record(step), LEARNT, 0))
      this.feed.restart()
    } else if (step.do === 'forget') {
      const entry = this.directory.entry(step.key)
      if (entry !== undefined && entry.state === null) this.directory.forget(entry)
    } else if (step.do === 'freeze') {
      this.freezes.set(step.namespace, (this.freezes.get(step.namespace) ?? 0) + 1)
      this.directory.declare({ kind: 'freeze', namespace: step.namespace, register: this.register(true) }, 0)
    } else if (step.do === 'vanish') {
      this.vanish(step.namespace)
    } else {
      const { namespace, service } = step.key
      if (step.do === 'undeclare' && !this.isDeclared(step.key)) return
      const register = this.register(step.do === 'declare' ? {} : null)
      this.directory.declare({ kind: 'service', namespace, service, register }, 0)
    }
  }

  private vanish(namespace: string): void {
    for (const { record } of [...this.directory.entries()]) {
      if (record.namespace !== namespace) continue
      this.do({ do: 'write', key: record, value: 'gone', port: 1 })
      this.do({ do: 'forget', key: record })
    }
    for (const service of SERVICES)
      this.do({ do: 'undeclare', key: { namespace, service, group: '', id: '' } })
  }

  private register<T>(wanted: T | null): Register<T> {
    return { counter: ++this.seq, node: 'n1', value: wanted }
  }

  private record({
    key: { namespace, service, group, id },
    value: verdict,
    port: at,
  }: Extract<Step, { readonly port: number }>): StoredRecord {
    const rev = ++this.seq
    const instance = { namespace, service, group, id }
    const existing = this.directory.entry(instance)?.record
    const moved =
      existing?.content.intent === 'gone' ||
      (existing?.content.intent !== undefined && existing.content.port !== at)
    const incarnation =
      (existing?.incarnation ?? 0) + (existing === undefined || (moved && verdict !== 'gone') ? 1 : 0)
    const shape = { host: '10.0.0.1', port: at, metadata: {} }
    return {
      ...instance,
      incarnation,
      content:
        verdict === 'gone'
          ? { intent: 'gone', rev, by: 'provider' }
          : {
              ...shape,
              intent: 'up',
              rev,
              weight: 1,
              leaseMs: 15_000,
              liveness: 'lease',
              named: true,
              digest: contentDigest(instance, incarnation, shape),
            },
      verdict: { value: verdict === 'gone' ? 'up' : verdict, claim: 1, node: 'n1', seq: rev, reason: 'test' },
    }
  }
}

/** Without the cost of an expectation for each of very many checks. */
function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

const LENGTH = { maxLength: 80, size: 'max' } as const

/** Lets everything happen and all readers read to the end; gives how often they had to list anew on the way. */
function play(history: readonly Step[]): number {
  const world = new World()
  for (const reader of world.readers) reader.read(100)
  for (const step of history) world.take(step)
  for (const reader of world.readers) {
    for (let page = 0; page <= REMEMBERED; page++) reader.read(1)
    check(!reader.paging, 'a reader does not come to the end')
  }
  return world.readers.reduce((lost, reader) => lost + reader.lost - 1, 0)
}

describe('readers of the feed', () => {
  it('hold what is listed whenever they have read to its end, at whatever pace they read', () => {
    let lost = 0
    const property = fc.property(fc.array(steps, LENGTH), (history) => {
      lost += play(history)
    })
    fc.assert(property, { numRuns: 300 })
    expect(lost).toBeGreaterThan(100)
  })

  it('list anew when the directory was filled without changes to follow', () => {
    const property = fc.property(fc.array(reloaded, LENGTH), (history) => {
      expect(play(history)).toBeGreaterThanOrEqual(0)
    })
    fc.assert(property, { numRuns: 100 })
  })
})
