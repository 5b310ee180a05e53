// Requests that wait for a list of services: which are woken, and what that costs.
import { HandClock } from '@rollcall/testkit/time'
import {
  type Command,
  NODE_DEFAULTS,
  NO_METER,
  RegistryNode,
  type Services,
  type ServicesQuery,
} from '@rollcall/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { command, PEER } from './node-driver.fixture.js'
import { ServicesWaiters } from './services-waiters.js'

interface Waiting {
  readonly query: ServicesQuery
  readonly sign: string
  woken: boolean
  forget: () => unknown
}

/** A node whose lists are counted, with requests that wait. */
class Setting {
  readonly clock = new HandClock(5_000)
  readonly node: RegistryNode
  readonly waiters: ServicesWaiters
  /** Rows of pages that were looked at, by turn of the loop. */
  rows: number[] = []
  private incarnation = 0

  constructor(historyBytesMax = NODE_DEFAULTS.historyBytesMax) {
    this.node = new RegistryNode(
      this.clock.now(),
      { ...NODE_DEFAULTS, nodeId: 'n1', historyBytesMax },
      { persist() {}, probe() {}, meter: NO_METER, wallNow: () => 1_700_000_000_000 },
    )
    const page: Services['page'] = (query) => {
      const answer = this.node.services.page(query)
      this.rows[this.rows.length - 1] = (this.rows.at(-1) ?? 0) + answer.nodes.length
      return answer
    }
    const clock = {
      setTimer: (delayMs: number, callback: () => void) =>
        this.clock.setTimer(delayMs, () => {
          this.rows.push(0)
          callback()
        }),
      now: () => this.clock.now(),
      wallNow: () => this.clock.wallNow(),
    }
    this.waiters = new ServicesWaiters(
      { clock, meter: NO_METER, feed: this.node.feed, services: { page } },
      { waitersMax: 100_000 },
    )
  }

  register(namespace: string, service: string): void {
    this.execute({
      kind: 'register',
      items: [command({ namespace, service, incarnation: ++this.incarnation })],
    })
  }

  deregister(namespace: string, service: string): void {
    const ref = { namespace, service, group: 'default', id: 'a', incarnation: this.incarnation }
    this.execute({ kind: 'deregister', refs: [ref] })
  }

  declare(namespace: string, service: string, stands: boolean): void {
    this.execute({ kind: 'declareService', namespace, service, settings: stands ? {} : null })
  }

  freeze(namespace: string, stands: boolean): void {
    this.execute({ kind: stands ? 'freeze' : 'unfreeze', namespace })
  }

  private execute(asked: Command): void {
    this.node.execute(asked, { caller: PEER, now: this.clock.now(), wallNow: 0 })
    this.waiters.changed()
  }

  wait(query: ServicesQuery): Waiting {
    const page = this.node.services.page(query)
    const waiter: Waiting = { query, sign: page.sign, woken: false, forget() {} }
    waiter.forget = this.waiters.add(query, page, () => {
      waiter.woken = true
      waiter.forget()
    })
    return waiter
  }
}

type Step =
  | {
      readonly do: 'register' | 'deregister' | 'declare' | 'undeclare'
      readonly namespace: string
      readonly service: string
    }
  | { readonly do: 'freeze' | 'unfreeze'; readonly namespace: string }
  | { readonly do: 'wait'; readonly query: ServicesQuery }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'give up'; readonly which: number }

const namespace = fc.constantFrom('a', 'a.b', 'b')
const service = fc.constantFrom('s', 's1', 's2', 's.3', 't', 't1')
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })
const query = fc
  .record({
    namespace: optional(namespace),
    prefix: optional(fc.constantFrom('', 's', 's1', 'x')),
    after: optional(fc.constantFrom('a/s', 'a/s1', 'a.b/t', 'b/s')),
    limit: optional(fc.constantFrom(1, 2, 3)),
  })
  .filter(
    (given) => given.namespace === undefined || given.after?.startsWith(`${given.namespace}/`) !== false,
  )
  .map(
    (given) =>
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ServicesQuery,
  )
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'register' as const,
        'deregister' as const,
        'declare' as const,
        'undeclare' as const,
      ),
      namespace,
      service,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('freeze' as const, 'unfreeze' as const),
      namespace: fc.oneof(namespace, fc.constant('*')),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), query }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 50, 100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('give up' as const), which: fc.nat(10) }) },
)

function take(world: Setting, each: Step, waiting: Waiting[]): void {
  if (each.do === 'register') world.register(each.namespace, each.service)
  else if (each.do === 'deregister') world.deregister(each.namespace, each.service)
  else if (each.do === 'declare' || each.do === 'undeclare')
    world.declare(each.namespace, each.service, each.do === 'declare')
  else if (each.do === 'freeze' || each.do === 'unfreeze') world.freeze(each.namespace, each.do === 'freeze')
  else if (each.do === 'pass') world.clock.advance(each.ms)
  else if (each.do === 'wait') waiting.push(world.wait(each.query))
  else if (each.do === 'give up') waiting[each.which]?.forget()
}

describe('requests that wait for another list of services', () => {
  it.each([NODE_DEFAULTS.historyBytesMax, 0])(
    'are woken when the list is another, and then only, with %i bytes of history',
    (historyBytesMax) => {
      const property = fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const world = new Setting(historyBytesMax)
        const waiting: Waiting[] = []
        const left = new Set<Waiting | undefined>()
        for (const each of steps) {
          take(world, each, waiting)
          if (each.do === 'give up') left.add(waiting[each.which])
        }
        const before = new Set(waiting.filter(({ woken }) => woken))
        world.clock.advance(200)
        const wrong = waiting.filter((waiter) => {
          const differs = world.node.services.page(waiter.query).sign !== waiter.sign
          return differs ? !waiter.woken && !left.has(waiter) : waiter.woken && !before.has(waiter)
        })
        expect(wrong).toEqual([])
        expect(world.clock.timers).toEqual([])
      })
      fc.assert(property, { numRuns: 300 })
    },
  )

  it('cost at most a row where their page ends before what changed, and nothing where they ask for something else', () => {
    const world = new Setting()
    for (let n = 0; n < 2_000; n++) world.register('default', `service-${n}`)
    for (let n = 0; n < 300; n++) world.wait({ prefix: `zzz${n}`, limit: 1 })
    for (let n = 0; n < 300; n++) world.wait({ namespace: `other-${n}` })
    for (let n = 1; n < 300; n++) world.wait({ limit: n })
    const woken = world.wait({ prefix: 'service-199' })
    world.clock.advance(200)
    world.rows = []
    world.register('default', 'service-1999')
    world.clock.advance(200)
    expect(woken.woken).toBe(true)
    expect(world.rows.reduce((sum, rows) => sum + rows, 0)).toBe(11 + 299)
  })

  it('are looked at in turns of a bounded size', () => {
    const world = new Setting()
    for (let n = 0; n < 2_000; n++) world.register('default', `service-${n}`)
    const waiting = Array.from({ length: 100 }, (_, n) => world.wait({ limit: 1_000 + n }))
    world.clock.advance(200)
    world.rows = []
    world.register('default', 'service-0')
    world.clock.advance(99)
    expect(world.rows).toEqual([])
    world.clock.advance(1)
    expect(waiting.every(({ woken }) => woken)).toBe(true)
    expect(world.rows.length).toBeGreaterThan(10)
    expect(Math.max(...world.rows)).toBeLessThan(5_000 + 1_100)
  })

  it('are looked at once for all that ask the same', () => {
    const world = new Setting()
    world.register('default', 'a')
    const waiting = Array.from({ length: 50 }, () => world.wait({ namespace: 'default' }))
    world.register('default', 'b')
    world.clock.advance(100)
    expect(world.rows).toEqual([2])
    expect(waiting.every(({ woken }) => woken)).toBe(true)
  })
})
