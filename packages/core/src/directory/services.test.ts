/** The lists of services and namespaces, and the comparison of signs. */
import type { ServicesQuery } from './services.js'
import { EMPTY_SIGN } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { keyOf, Simulation } from '../simulated-node.fixture.js'
import { signOfView } from './view.js'

function setUp(): Simulation {
  const sim = new Simulation()
  for (const [namespace, service] of [
    ['prod', 'orders'],
    ['default', 'users'],
    ['default', 'orders'],
    ['default', 'orders-v2'],
  ] as const) {
    sim.register({ namespace, service, incarnation: 1 })
  }
  return sim
}

describe('the list of services', () => {
  const names = (sim: Simulation, query: ServicesQuery) =>
    sim.read.services(query).services.map(({ namespace, service }) => `${namespace}/${service}`)

  it('is ordered by namespace and name, and may be narrowed', () => {
    const sim = setUp()
    expect(names(sim, {})).toEqual(['default/orders', 'default/orders-v2', 'default/users', 'prod/orders'])
    expect(names(sim, { namespace: 'default', prefix: 'orders' })).toEqual([
      'default/orders',
      'default/orders-v2',
    ])
    expect(names(sim, { namespace: 'nowhere' })).toEqual([])
  })

  it('is read in pages that miss and repeat nothing', () => {
    const sim = setUp()
    const pages: string[] = []
    let after: string | undefined
    do {
      const page = sim.read.services({ limit: 2, ...(after === undefined ? {} : { after }) })
      pages.push(page.services.map(({ service }) => service).join())
      after = page.next
    } while (after !== undefined)
    expect(pages).toEqual(['orders,orders-v2', 'users,orders'])
    expect(names(sim, { after: 'default/orders-v2', limit: 1 })).toEqual(['default/users'])
    expect(names(sim, { after: 'default/zzz' })).toEqual(['prod/orders'])
    expect(names(sim, { limit: 0 })).toHaveLength(1)
  })

  it('sums up each service by groups, declared ones included', () => {
    const sim = new Simulation()
    sim.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['empty', 'blue'], metadata: { team: 'x' } },
    })
    sim.register({ id: 'a', group: 'blue', incarnation: 1 })
    sim.register({ id: 'b', group: 'blue', incarnation: 1, intent: 'draining' })
    sim.register({ id: 'c', group: 'left', incarnation: 1 })
    sim.execute({
      kind: 'deregister',
      refs: [{ namespace: 'default', service: 'orders', group: 'left', id: 'c', incarnation: 1 }],
    })
    const name = { namespace: 'default', service: 'orders' }
    expect(sim.read.services({}).services).toEqual([
      {
        ...name,
        sign: signOfView(sim.node.directory, name),
        metadata: { team: 'x' },
        groups: [
          {
            group: 'blue',
            sign: signOfView(sim.node.directory, { ...name, group: 'blue' }),
            total: 2,
            up: 1,
          },
          { group: 'empty', sign: EMPTY_SIGN, total: 0, up: 0 },
        ],
      },
    ])
  })

  it('ends a page where it has become long, whatever its limit', () => {
    const sim = new Simulation()
    const groups = Array.from({ length: 1_000 }, (_, index) => `group-${index}`)
    for (let index = 0; index < 150; index++) {
      const service = `s${1_000 + index}`
      sim.execute({ kind: 'declareService', namespace: 'default', service, settings: { groups } })
    }
    const pages: number[] = []
    let after: string | undefined
    do {
      const page = sim.read.services({ limit: 10_000, ...(after === undefined ? {} : { after }) })
      pages.push(page.services.length)
      expect(JSON.stringify(page).length).toBeLessThan(5 * 1024 * 1024)
      after = page.next
    } while (after !== undefined)
    expect(pages.length).toBeGreaterThan(1)
    expect(pages.reduce((sum, length) => sum + length)).toBe(150)
  })

  it('does not show services of which only tombstones are left', () => {
    const sim = setUp()
    sim.deregister('a', 1)
    expect(names(sim, { namespace: 'default' })).toEqual(['default/orders-v2', 'default/users'])
  })

  it('has a sign that changes with everything in the answer', () => {
    const sim = setUp()
    const seen = new Set<string>()
    const changes: (() => unknown)[] = [
      () => sim.register({ id: 'b', incarnation: 1 }),
      () => sim.register({ id: 'b', incarnation: 1, rev: 2, intent: 'draining' }),
      () => sim.register({ service: 'new', incarnation: 1 }),
      () =>
        sim.execute({
          kind: 'declareService',
          namespace: 'default',
          service: 'orders',
          settings: { metadata: { team: 'x' } },
        }),
      () =>
        sim.execute({
          kind: 'declareService',
          namespace: 'default',
          service: 'orders',
          settings: { metadata: { team: 'x' }, groups: ['blue'] },
        }),
      () => sim.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: null }),
    ]
    for (const change of changes) {
      seen.add(sim.read.services({}).sign)
      const before = JSON.stringify(sim.read.services({}))
      change()
      expect(JSON.stringify(sim.read.services({}))).not.toBe(before)
    }
    expect(seen.size).toBe(changes.length)
  })

  it('has a sign that tells the last page from one with more to come', () => {
    const sim = new Simulation()
    sim.register({ service: 'a', incarnation: 1 })
    const last = sim.read.services({ limit: 1 })
    sim.register({ service: 'b', incarnation: 1 })
    const first = sim.read.services({ limit: 1 })
    expect([last.next, first.next]).toEqual([undefined, 'default/a'])
    expect(first.sign).not.toBe(last.sign)
  })
})

describe('the list of namespaces', () => {
  it('counts services and instances, and knows declared ones', () => {
    const sim = setUp()
    sim.execute({ kind: 'declareNamespace', namespace: 'empty', settings: { allow: ['10.0.0.0/8'] } })
    sim.deregister('a', 1)
    expect(sim.read.namespaces().namespaces).toEqual([
      { namespace: 'default', services: 2, instances: 2 },
      { namespace: 'empty', services: 0, instances: 0, allow: ['10.0.0.0/8'] },
      { namespace: 'prod', services: 1, instances: 1 },
    ])
  })

  it('is read page by page, each namespace once, in order', () => {
    const sim = setUp()
    for (const namespace of ['a', 'default', 'x', 'zz'])
      sim.execute({ kind: 'declareNamespace', namespace, settings: {} })
    const pages: string[][] = []
    let after: string | undefined
    do {
      const page = sim.read.namespaces({ limit: 2, ...(after === undefined ? {} : { after }) })
      pages.push(page.namespaces.map(({ namespace }) => namespace))
      after = page.next
    } while (after !== undefined)
    expect(pages).toEqual([['a', 'default'], ['prod', 'x'], ['zz']])
  })

  it('ends a page where its allow lists are long', () => {
    const sim = new Simulation()
    const allow = Array.from({ length: 1_000 }, (_, n) => `host-${n}.`.padEnd(200, 'x'))
    for (let n = 0; n < 30; n++)
      sim.execute({ kind: 'declareNamespace', namespace: `n${10 + n}`, settings: { allow } })
    const page = sim.read.namespaces()
    expect(page.namespaces.length).toBeLessThan(25)
    expect(page.next).toBe(page.namespaces.at(-1)?.namespace)
  })

  it('does not know a namespace of which only deregistrations are left', () => {
    const sim = setUp()
    sim.execute({ kind: 'deregister', refs: [{ ...keyOf('x'), namespace: 'ghosts', incarnation: 1 }] })
    expect(sim.read.namespaces().namespaces.map(({ namespace }) => namespace)).toEqual(['default', 'prod'])
  })
})

describe('comparing signs', () => {
  it('names only what differs, the unknown as empty', () => {
    const sim = setUp()
    const orders = { namespace: 'default', service: 'orders' }
    const sign = signOfView(sim.node.directory, orders)
    expect(
      sim.read.compareSigns([
        { ...orders, sign },
        { ...orders, group: 'default', sign: EMPTY_SIGN },
        { ...orders, service: 'nobody', sign: EMPTY_SIGN },
        { ...orders, service: 'nobody', sign },
      ]),
    ).toEqual({
      changed: [
        { ...orders, group: 'default', sign },
        { ...orders, service: 'nobody', sign: EMPTY_SIGN },
      ],
    })
  })
})

describe('the version of a registry', () => {
  it('changes with each list and with the set of services, and with nothing else', () => {
    const sim = new Simulation()
    const declare = (settings: { groups: string[] } | null) => (): unknown =>
      sim.execute({ kind: 'declareService', namespace: 'default', service: 'billing', settings })
    const steps: readonly (readonly [() => unknown, boolean])[] = [
      [() => sim.register({ incarnation: 1 }), true],
      [() => sim.register({ incarnation: 1 }), false],
      [() => sim.register({ incarnation: 1, rev: 2, weight: 7 }), true],
      [() => sim.beat('a', 1), false],
      [() => sim.read.services({}), false],
      [declare({ groups: ['x'] }), true],
      [declare(null), true],
      [() => sim.deregister('a', 1), true],
      [() => sim.deregister('a', 1), false],
    ]
    const changed = steps.map(([step]) => {
      const before = sim.read.version()
      step()
      return sim.read.version() !== before
    })
    expect(changed).toEqual(steps.map(([, expected]) => expected))
  })
})
