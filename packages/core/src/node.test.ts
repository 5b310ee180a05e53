/** The node as a whole: bounds, hosts, declarations, snapshots, loading. */
import type { NamespaceSettings, ServiceSettings } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { JournalEntry } from './ports.js'
import { keyOf, ref, Simulation } from './simulated-node.fixture.js'

function code(
  result:
    | { readonly ok: boolean; readonly error?: { readonly code: string } }
    | { readonly code: string }
    | { readonly existed: boolean }
    | undefined,
): string | undefined {
  if (result === undefined || 'existed' in result) return undefined
  if ('code' in result) return result.code
  return result.ok ? 'ok' : result.error?.code
}

describe('what a node may hold', () => {
  it('is so many listed instances; those who left take no room from them', () => {
    const sim = new Simulation({ instancesMax: 2, peers: { share: 1, sharedNetworks: [] } })
    sim.register({ id: 'a', incarnation: 1 })
    sim.register({ id: 'b', incarnation: 1 })
    expect(sim.register({ id: 'c' })).toMatchObject({
      ok: false,
      error: { code: 'limit_exceeded', details: { quota: 'instancesMax', max: 2, over: 'node' } },
    })
    expect(code(sim.register({ id: 'a', incarnation: 2 }))).toBe('ok')
    sim.deregister('b', 1)
    expect(code(sim.register({ id: 'c', incarnation: 1 }))).toBe('ok')
    expect(code(sim.register({ id: 'b', incarnation: 2 }))).toBe('limit_exceeded')
    sim.deregister('c', 1)
    expect(code(sim.register({ id: 'b', incarnation: 2 }))).toBe('ok')
  })

  it('is so many services that are listed: registered or declared', () => {
    const sim = new Simulation({ servicesMax: 1 })
    sim.register({ id: 'a', incarnation: 1 })
    expect(sim.register({ service: 's2' })).toMatchObject({
      ok: false,
      error: { code: 'limit_exceeded', details: { quota: 'servicesMax', max: 1 } },
    })
    expect(
      code(sim.execute({ kind: 'declareService', namespace: 'default', service: 's4', settings: {} })),
    ).toBe('limit_exceeded')
    expect(code(sim.register({ id: 'c' }))).toBe('ok')
    expect(
      code(sim.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: {} })),
    ).toBeUndefined()
  })

  it('does not count a service of which only the buried are left', () => {
    const sim = new Simulation({ servicesMax: 1 })
    sim.execute({ kind: 'deregister', refs: [{ ...ref('x', 1), service: 's3' }] })
    expect(code(sim.register({ id: 'a', incarnation: 1 }))).toBe('ok')
  })

  it('is so many namespaces that are declared, and so many with a listed service', () => {
    const sim = new Simulation({ namespacesMax: 2 })
    const declare = (namespace: string, settings: NamespaceSettings | null = {}) =>
      code(sim.execute({ kind: 'declareNamespace', namespace, settings }))
    expect([declare('n1'), declare('n2')]).toEqual([undefined, undefined])
    const refused = { code: 'limit_exceeded', details: { quota: 'namespacesMax', max: 2, over: 'node' } }
    expect(sim.execute({ kind: 'declareNamespace', namespace: 'n3', settings: {} })).toMatchObject(refused)
    expect(declare('n2', { allow: ['10.0.0.1'] })).toBeUndefined()
    declare('n1', null)
    expect(declare('n3')).toBeUndefined()

    for (const namespace of ['a', 'b']) expect(code(sim.register({ namespace, incarnation: 1 }))).toBe('ok')
    expect(sim.register({ namespace: 'c' })).toMatchObject({ error: refused })
    expect(code(sim.register({ namespace: 'b', service: 's2' }))).toBe('ok')
    sim.execute({ kind: 'deregister', refs: [{ ...ref('a', 1), namespace: 'a' }] })
    expect(code(sim.register({ namespace: 'c' }))).toBe('ok')
  })

  it('is so much of declarations, for one peer less than for all; taking back frees it', () => {
    const sim = new Simulation({ declarationBytesMax: 14_000 })
    const declare = (
      service: string,
      peer: string,
      settings: ServiceSettings | null = { metadata: { a: 'x'.repeat(1_000) } },
    ) => sim.execute({ kind: 'declareService', namespace: 'default', service, settings }, peer)
    for (const service of ['s1', 's2', 's3']) expect(code(declare(service, '10.0.0.1'))).toBeUndefined()
    expect(declare('s4', '10.0.0.1')).toMatchObject({
      code: 'limit_exceeded',
      details: { quota: 'declarationBytesMax', over: 'peer' },
    })
    expect(code(declare('s4', '10.0.0.2'))).toBeUndefined()
    expect(code(declare('s1', '10.0.0.1', null))).toBeUndefined()
    sim.run(3_700_000)
    expect(code(declare('s5', '10.0.0.3'))).toBeUndefined()
    expect(sim.node.budgets.declarationBytes.peers).toBe(3)
  })

  it('frees what is forgotten, groups and services included', () => {
    const sim = new Simulation({ instancesMax: 1, servicesMax: 1 })
    for (const service of ['s1', 's2', 's3']) {
      expect(code(sim.register({ service, group: service, incarnation: 1 }))).toBe('ok')
      sim.execute({ kind: 'deregister', refs: [{ ...ref('a', 1), service, group: service }] })
      sim.run(3_600_100)
    }
    expect([sim.node.directory.records, sim.node.directory.services]).toEqual([0, 0])
    // A group goes before its service does.
    const lasting = new Simulation()
    lasting.register({ incarnation: 1, liveness: 'static' })
    lasting.register({ id: 'b', group: 'blue', incarnation: 1, liveness: 'static' })
    lasting.execute({ kind: 'deregister', refs: [{ ...ref('b', 1), group: 'blue' }] })
    lasting.run(3_600_100)
    expect([...(lasting.node.directory.find('default', 'orders')?.groups.keys() ?? [])]).toEqual(['default'])
  })
})

describe('deregistering a host', () => {
  function setUp(here: number, elsewhere: number): Simulation {
    const sim = new Simulation()
    for (let n = 0; n < here + elsewhere; n++) {
      sim.register({
        id: `i${n}`,
        host: n < here ? '10.0.0.1' : '10.0.0.2',
        incarnation: 1,
        liveness: 'static',
      })
    }
    return sim
  }
  const remove = (sim: Simulation, confirm = false, namespace = 'default', host = '10.0.0.1') =>
    sim.execute({ kind: 'deregisterHost', namespace, host, confirm })

  it.each([
    [4, 0, false],
    [5, 0, true],
    [5, 5, true],
    [5, 6, false],
    [6, 6, true],
    [1, 100, false],
  ])('that takes %i and leaves %i needs confirmation: %s', (here, elsewhere, needed) => {
    const sim = setUp(here, elsewhere)
    const before = [...sim.node.snapshot()]
    const result = remove(sim)
    if (needed) {
      const details = { services: ['default/orders'], instances: { length: here } }
      expect(result).toMatchObject({ code: 'needs_confirmation', details })
      expect([...sim.node.snapshot()]).toEqual(before)
      expect(remove(sim, true)).toMatchObject({ removed: { length: here } })
    } else expect(result).toMatchObject({ removed: { length: here } })
    expect(sim.node.directory.states.up).toBe(elsewhere)
  })

  it('asks for each service by itself and does nothing until all is confirmed', () => {
    const sim = setUp(5, 0)
    sim.register({ service: 'other', incarnation: 1 })
    expect(code(remove(sim) as { code: string })).toBe('needs_confirmation')
    expect(sim.node.directory.states.up).toBe(6)
    const result = remove(sim, true)
    expect(result).toMatchObject({ removed: { length: 6 }, unknown: [], superseded: [] })
  })

  it('stays in its namespace, or takes all of them', () => {
    const sim = new Simulation()
    for (const namespace of ['default', 'prod']) sim.register({ namespace, incarnation: 1 })
    expect(remove(sim)).toMatchObject({ removed: [{ namespace: 'default' }] })
    expect(remove(sim, false, 'nowhere')).toEqual({ removed: [], unknown: [], superseded: [] })
    expect(remove(sim, false, '*')).toMatchObject({ removed: [{ namespace: 'prod' }] })
  })

  it('knows an address however it is written', () => {
    const sim = new Simulation()
    sim.register({ id: 'a', host: '2001:DB8::1', incarnation: 1 })
    sim.register({ id: 'b', host: 'Web.example', incarnation: 1 })
    expect(remove(sim, false, 'default', '2001:db8:0:0::1')).toMatchObject({ removed: [{ id: 'a' }] })
    expect(remove(sim, false, 'default', 'web.example')).toMatchObject({ removed: [{ id: 'b' }] })
  })

  it('takes the expired as well: they must not come back with the host', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1 })
    sim.network = () => 'silence'
    sim.run(90_000)
    expect(sim.shown()).toBeUndefined()
    expect(remove(sim)).toMatchObject({ removed: [{ id: 'a' }] })
    expect(sim.beat('a', 1).deregistered).toHaveLength(1)
    expect(remove(sim)).toMatchObject({ removed: [] })
  })

  it('takes records that named no incarnation too', () => {
    const sim = new Simulation()
    sim.register()
    expect(remove(sim)).toMatchObject({ removed: [{ id: 'a' }] })
  })
})

describe('declarations', () => {
  it('are kept, replaced, taken back, and survive in the journal', () => {
    const sim = new Simulation()
    sim.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['blue'] },
    })
    sim.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['green'] },
    })
    sim.execute({ kind: 'declareNamespace', namespace: 'prod', settings: { allow: ['10.0.0.0/8'] } })
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'gone', settings: {} })
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'gone', settings: null })
    const restarted = new Simulation()
    restarted.node.load(sim.entries, restarted.now)
    expect(restarted.node.directory.find('default', 'orders')?.settings).toEqual({ groups: ['green'] })
    expect(restarted.node.directory.find('default', 'gone')).toBeUndefined()
    expect(restarted.read.namespaceSettings('prod')).toEqual({ allow: ['10.0.0.0/8'] })
    expect([...restarted.node.snapshot()]).toEqual([...sim.node.snapshot()])
  })

  it('that are wrong change and write nothing', () => {
    const sim = new Simulation()
    expect(
      code(
        sim.execute({
          kind: 'declareService',
          namespace: 'default',
          service: 'orders',
          settings: { removalMs: 1 },
        }),
      ),
    ).toBe('invalid_argument')
    expect(
      code(sim.execute({ kind: 'declareNamespace', namespace: 'prod', settings: { allow: ['x/y'] } })),
    ).toBe('invalid_argument')
    expect(sim.entries).toEqual([])
    expect(sim.node.directory.services).toBe(0)
  })

  it('of the configuration win over a register, which is kept all the same, and never reach the journal', () => {
    const configured = { prod: { allow: ['10.0.0.0/8'] } }
    const journal: JournalEntry[] = [
      { kind: 'namespace', namespace: 'prod', register: { counter: 1, node: 'n', value: { allow: [] } } },
    ]
    const sim = new Simulation({ namespaces: configured })
    sim.node.load(journal, sim.now)
    expect(sim.read.namespaceSettings('prod')).toEqual(configured.prod)
    expect(code(sim.execute({ kind: 'declareNamespace', namespace: 'prod', settings: {} }))).toBe(
      'invalid_argument',
    )
    expect([...sim.node.snapshot()]).toEqual(journal)
    expect(sim.entries).toEqual([])
  })

  it('of a namespace keep others out, strictly or not', () => {
    const sim = new Simulation({ admission: 'strict' })
    expect(code(sim.register())).toBe('service_not_declared')
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: {} })
    expect(code(sim.register({ group: 'blue' }))).toBe('group_not_declared')
    expect(code(sim.register())).toBe('ok')
    sim.execute({ kind: 'declareNamespace', namespace: 'default', settings: { allow: ['11.0.0.0/8'] } })
    expect(code(sim.register())).toBe('namespace_not_allowed')
  })
})

describe('a snapshot', () => {
  it('read piece by piece while the registry changes misses nothing that was there throughout, and ends', () => {
    const sim = new Simulation()
    for (let n = 0; n < 100; n++) sim.register({ id: `i${n}`, service: `s${n % 5}`, incarnation: 1 })
    const seen = new Set<string>()
    const later: JournalEntry[] = []
    let read = 0
    for (const entry of sim.node.snapshot()) {
      later.push(entry)
      if (entry.kind === 'record') seen.add(entry.record.id)
      read++
      expect(read).toBeLessThan(1_000)
      sim.mark()
      if (read < 90)
        sim.execute({
          kind: 'deregister',
          refs: [{ ...keyOf(`i${(read * 7) % 100}`), service: `s${(read * 7) % 5}`, incarnation: 1 }],
        })
      if (read % 10 === 0) sim.register({ id: `new${read}`, service: `s${read % 5}`, incarnation: 1 })
      later.push(...sim.entries)
    }
    for (let n = 0; n < 100; n++) expect(seen.has(`i${n}`)).toBe(true)
    const restored = new Simulation()
    restored.node.load(later, restored.now)
    const sort = (node: Simulation) => [...node.node.snapshot()].map((entry) => JSON.stringify(entry)).sort()
    expect(sort(restored)).toEqual(sort(sim))
  })

  it('has every tombstone that stays, whichever come back while it is read', () => {
    const sim = new Simulation()
    for (let n = 0; n < 20; n++) sim.register({ id: `i${n}`, incarnation: 1 })
    for (let n = 0; n < 20; n++) sim.deregister(`i${n}`, 1)
    const gone: string[] = []
    for (const entry of sim.node.snapshot()) {
      if (entry.kind !== 'record' || entry.record.content.intent !== 'gone') continue
      gone.push(entry.record.id)
      if (gone.length === 5) for (const id of ['i2', 'i5', 'i6']) sim.register({ id, incarnation: 2 })
    }
    expect(gone).toEqual(Array.from({ length: 20 }, (_, n) => `i${n}`).filter((id) => !/^i[56]$/.test(id)))
  })
})

describe('loading', () => {
  it('gives the same state from entries in any order and repeated', () => {
    const sim = new Simulation()
    sim.register({ id: 'a', incarnation: 1 })
    sim.register({ id: 'a', incarnation: 1, rev: 2, weight: 7 })
    sim.register({ id: 'a', incarnation: 2 })
    sim.register({ id: 'b', incarnation: 1 })
    sim.deregister('b', 1)
    const digest = (entries: JournalEntry[]): string => {
      const other = new Simulation()
      other.node.load(entries, other.now)
      return [...other.node.snapshot()]
        .map((entry) => JSON.stringify(entry))
        .sort()
        .join('\n')
    }
    const forwards = digest(sim.entries)
    expect(digest([...sim.entries].reverse())).toBe(forwards)
    expect(digest([...sim.entries, ...sim.entries])).toBe(forwards)
  })

  it('remembers no history: a client that shows a sign from before gets the view', () => {
    const sim = new Simulation()
    sim.node.load(
      [
        { kind: 'record', record: recordOf('a') },
        { kind: 'record', record: recordOf('b') },
      ],
      sim.now,
    )
    expect(sim.node.directory.find('default', 'orders')?.history.length).toBe(0)
  })
})

function recordOf(id: string) {
  const sim = new Simulation()
  sim.register({ id, incarnation: 1 })
  const record = sim.record(id)
  if (record === undefined) throw new Error('not registered')
  return record
}
