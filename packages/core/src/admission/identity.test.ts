/** What is one and the same instance, whatever is said of it: its names, its host, its numbers. */
import { describe, expect, it } from 'vitest'
import { keyOf, ref, Simulation } from '../simulated-node.fixture.js'

describe('a host in another spelling', () => {
  it.each([
    ['Host-A.example', 'host-a.example'],
    ['h.example', 'h.example.'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['10.0.0.1', '::ffff:10.0.0.1'],
  ])('%s as %s is the same address', (host, spelling) => {
    const sim = new Simulation()
    const first = sim.register({ host })
    sim.execute({ kind: 'override', refs: [keyOf('a')], weight: 0 })
    sim.network = () => 'refused'
    expect(sim.register({ host: spelling })).toEqual(first)
    expect(sim.record()?.override?.value?.weight?.incarnation).toBe(sim.record()?.incarnation)
    // What is shown is what was given last.
    expect(sim.record()?.content).toMatchObject({ host: spelling })
  })

  it('is removed by either', () => {
    const sim = new Simulation()
    sim.register({ host: '2001:DB8::1' })
    sim.register({ id: 'b', host: 'Web.example.' })
    const remove = (host: string) =>
      sim.execute({ kind: 'deregisterHost', namespace: '*', host, confirm: false })
    expect(remove('[2001:db8:0::1]')).toMatchObject({ removed: [{ id: 'a' }] })
    expect(remove('web.example')).toMatchObject({ removed: [{ id: 'b' }] })
  })
})

describe('a removal by host', () => {
  it.each(['10.2.2.0/24', '*', '', '10.0.0.5:8080', 'http://10.0.0.5', 'a b'])(
    'of %j is refused: nothing can be there',
    (host) => {
      const sim = new Simulation()
      expect(
        sim.execute({ kind: 'deregisterHost', namespace: 'default', host, confirm: true }),
      ).toMatchObject({ code: 'invalid_argument', field: 'host' })
    },
  )

  it('in what cannot be a namespace is refused', () => {
    const sim = new Simulation()
    const removal = { kind: 'deregisterHost', namespace: '..', host: '10.0.0.1', confirm: true } as const
    expect(sim.execute(removal)).toMatchObject({ code: 'invalid_argument', field: 'namespace' })
  })
})

describe('what could not be registered', () => {
  const names = [
    ['service', 'a b'],
    ['group', '..'],
    ['id', 'a/b'],
    ['namespace', ''],
  ] as const

  it.each(names)('is not beaten for, with a %s like %j', (field, name) => {
    const { node, now } = new Simulation()
    const answer = node.heard([ref('x'), { ...ref('y'), [field]: name }], now)
    expect(answer.unknown).toEqual([ref('x')])
    expect(answer.errors).toMatchObject([{ code: 'invalid_argument', field: `instances[1].${field}` }])
  })

  it.each(names)('is not deregistered, with a %s like %j', (field, name) => {
    const sim = new Simulation()
    for (const incarnation of [undefined, 5]) {
      const refs = [ref('x', 1), { ...ref('y', incarnation), [field]: name }]
      const answer = sim.done({ kind: 'deregister', refs })
      expect(answer.unknown).toEqual([ref('x', 1)])
      expect(answer.errors).toMatchObject([{ code: 'invalid_argument', field: `instances[1].${field}` }])
    }
  })
})
