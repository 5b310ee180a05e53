/** What the outcomes of probes do. */
import type { Probe } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { RegisterCommand } from '../commands.js'
import { keyOf, Simulation } from '../simulated-node.fixture.js'

/** What answers on the port: a process, the kernel of one that hangs, nobody, or not even a host. */
type World = 'process' | 'hung' | 'closed' | 'away'

/** A prober in that world: whoever reads requests must be alive, whoever accepts connections need not be. */
function live(sim: Simulation, world: World): void {
  sim.network = ({ type }) => {
    if (world === 'closed') return 'refused'
    if (world === 'away' || (world === 'hung' && type !== 'tcp')) return 'silence'
    return 'succeeded'
  }
}

const OWN_PROBES: readonly Probe['type'][] = ['http', 'grpc']

/** A process that beats every 5 s with a lease of 15 s, has been up for ten, and then beats no more. */
function silent(type: Probe['type'], overrides: Partial<RegisterCommand> = {}): Simulation {
  const sim = new Simulation()
  live(sim, 'process')
  sim.register({ incarnation: 5, probe: { type }, ...overrides })
  const stop = sim.every(5_000, () => sim.beat('a', 5))
  sim.run(10_000)
  stop()
  sim.mark()
  return sim
}

describe.each(OWN_PROBES)('the own %s probe of an instance with a lease', (type) => {
  it('keeps it up without a beat, asked at half the lease each time', () => {
    const sim = silent(type)
    sim.run(60_000)
    expect(sim.transcript).toEqual([])
    expect(sim.asked('evidence')).toEqual([7_500, 15_050, 22_600, 30_150, 37_700, 45_250, 52_800])
  })

  it('fails while the port of a hung process still accepts: nothing holds it', () => {
    const sim = silent(type)
    live(sim, 'hung')
    sim.run(20_000)
    expect(sim.transcript).toEqual(['8500 a suspect silence', '16000 a down silence'])
  })

  it('fails without any effect while beats come', () => {
    const sim = silent(type)
    live(sim, 'hung')
    sim.every(5_000, () => sim.beat('a', 5))
    sim.after(0, () => sim.beat('a', 5))
    sim.run(120_000)
    expect(sim.transcript).toEqual([])
  })

  it('brings back at once what was suspect', () => {
    const sim = silent(type)
    live(sim, 'hung')
    sim.run(9_000)
    expect(sim.shown()).toBe('suspect silence')
    live(sim, 'process')
    sim.run(7_000)
    expect(sim.transcript.at(-1)).toBe('15001 a up heard')
    sim.run(60_000)
    expect(sim.shown()).toBe('up')
  })

  it('brings back what silence took, asked twice a lease until it expires', () => {
    const sim = silent(type)
    live(sim, 'away')
    sim.run(20_000)
    expect(sim.shown()).toBe('down silence')
    live(sim, 'hung')
    sim.mark()
    sim.run(20_000)
    expect(sim.transcript).toEqual([])
    live(sim, 'process')
    sim.run(7_500)
    expect(sim.transcript.map((line) => line.replace(/^\d+ /, ''))).toEqual(['a up heard'])
    live(sim, 'away')
    sim.run(90_000)
    expect(sim.transcript.at(-1)).toMatch('a hidden down_too_long')
    live(sim, 'process')
    sim.mark()
    sim.run(60_000)
    // Its address may be another's by now: only a sign of life of its own brings back what expired.
    expect([sim.transcript, sim.asked('evidence')]).toEqual([[], []])
  })

  it('brings nobody back who was refused: another process may have the port', () => {
    const sim = silent(type)
    live(sim, 'closed')
    sim.run(20_000)
    live(sim, 'process')
    sim.run(30_000)
    expect(sim.shown()).toBe('down refused')
    sim.beat('a', 5)
    expect(sim.shown()).toBe('up')
  })

  it('brings back who is down while the namespace is frozen', () => {
    const sim = silent(type)
    live(sim, 'away')
    sim.run(20_000)
    expect(sim.shown()).toBe('down silence')
    sim.execute({ kind: 'freeze', namespace: 'default' })
    sim.run(300_000)
    live(sim, 'process')
    sim.run(8_000)
    expect(sim.shown()).toBe('up')
  })

  it('keeps it up when its session closes, and it is judged by its lease from then on', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5, probe: { type } }, session)
    sim.run(1_000)
    sim.mark()
    session.close()
    sim.run(60_000)
    expect(sim.transcript).toEqual([])
    live(sim, 'away')
    sim.mark()
    sim.run(30_000)
    expect(sim.transcript.map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'a suspect silence',
      'a down silence',
    ])
  })

  it('is a baseline: a refusal after it is believed, and one without it is not', () => {
    const sim = silent(type)
    live(sim, 'closed')
    sim.run(20_000)
    expect(sim.transcript).toEqual(['7552 a down refused'])

    const unready = new Simulation()
    live(unready, 'hung')
    unready.register({ incarnation: 5, probe: { type } })
    unready.run(7_000)
    live(unready, 'closed')
    unready.mark()
    unready.run(20_000)
    expect(unready.transcript.map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'a suspect silence',
      'a down silence',
    ])
  })
})

describe('a bare TCP success', () => {
  it('makes nothing up: the process that hangs is suspect, and held for three leases at most', () => {
    const sim = silent('tcp')
    live(sim, 'hung')
    sim.run(60_000)
    expect(sim.transcript).toEqual(['15000 a suspect silence', '45000 a down silence'])
  })

  it('brings nobody back who is down, and is not asked for it', () => {
    const sim = silent('tcp')
    live(sim, 'away')
    sim.run(20_000)
    live(sim, 'process')
    sim.mark()
    sim.run(30_000)
    expect([sim.shown(), sim.asked('evidence')]).toEqual(['down silence', []])
  })

  it('does not bring back an instance whose session closed', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.run(1_000)
    session.close()
    sim.run(5_000)
    expect(sim.shown()).toBe('suspect session_closed')
  })
})

describe('a node that cannot ask (out of sockets, its queue full)', () => {
  it('suspects nobody for it before the end of the lease, and takes nobody down before three', () => {
    const sim = silent('tcp')
    sim.network = () => 'unable'
    sim.run(60_000)
    expect(sim.transcript).toEqual(['15000 a suspect silence', '45000 a down silence'])
  })

  it('asks again, and believes the first answer', () => {
    const sim = silent('tcp')
    sim.network = () => 'unable'
    sim.run(20_000)
    live(sim, 'closed')
    sim.run(5_000)
    expect(sim.transcript.map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'a suspect silence',
      'a down refused',
    ])
  })

  it('doubts nobody for it whom it never heard', () => {
    const former = silent('tcp')
    const sim = new Simulation({ nodeId: 'node-2' })
    sim.network = () => 'unable'
    sim.node.load([...former.node.snapshot()], sim.now)
    sim.run(590_000)
    expect(sim.transcript).toEqual([])
  })

  it('tries again to connect for the baseline', () => {
    const sim = new Simulation()
    sim.network = () => 'unable'
    sim.register({ incarnation: 5 })
    sim.run(500)
    live(sim, 'process')
    sim.run(1_000)
    live(sim, 'closed')
    sim.run(7_000)
    expect(sim.shown()).toBe('down refused')
  })

  it('suspects at half the lease whom it may never ask: there can be no answer', () => {
    const sim = silent('tcp')
    sim.network = () => 'skipped'
    sim.run(8_000)
    expect(sim.shown()).toBe('suspect silence')
  })
})

describe.each(['tcp', ...OWN_PROBES] as const)('liveness: probe, by %s', (type) => {
  it('is up while it answers, goes when it does not, and comes back', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5, liveness: 'probe', probe: { type } })
    sim.run(60_000)
    expect(sim.shown()).toBe('up')
    live(sim, 'away')
    sim.run(30_000)
    expect(sim.shown()).toBe('down silence')
    live(sim, 'process')
    sim.run(6_000)
    expect(sim.shown()).toBe('up')
    sim.run(120_000)
    expect(sim.shown()).toBe('up')
  })
})

describe('what is asked', () => {
  it('is everything that was registered, at the port of the probe', () => {
    const probe: Probe = {
      type: 'http',
      port: 9_000,
      path: '/health',
      status: '200-299,401',
      headers: { authorization: 'x' },
      tls: { serverName: 'orders.example' },
    }
    const sim = new Simulation()
    sim.register({ incarnation: 5, probe })
    expect(sim.probes).toMatchObject([{ ...probe, key: keyOf('a'), host: '10.0.0.1', purpose: 'baseline' }])
    sim.register({ incarnation: 6, probe: { type: 'grpc', serviceName: 'shop.Orders' } })
    expect(sim.probes.at(-1)).toMatchObject({ type: 'grpc', port: 3_000, serviceName: 'shop.Orders' })
    sim.register({ incarnation: 7 })
    expect(sim.probes.at(-1)).toMatchObject({ type: 'tcp', port: 3_000 })
  })

  it('changes when the same incarnation says so', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5, probe: { type: 'http', path: '/a', headers: { a: '1', b: '2' } } })
    sim.register({ incarnation: 5, rev: 1, probe: { type: 'http', path: '/a', headers: { b: '2', a: '1' } } })
    sim.mark()
    sim.register({ incarnation: 5, probe: { type: 'http', path: '/a', status: 204 } })
    expect(sim.entries).toHaveLength(1)
    sim.run(8_000)
    expect(sim.probes.at(-1)).toMatchObject({ purpose: 'evidence', path: '/a', status: 204 })
  })
})

describe('a registration', () => {
  it.each<[string, Partial<RegisterCommand>]>([
    ['probe.path', { probe: { type: 'http', path: 'health' } }],
    ['probe.type', { liveness: 'probe', probe: { type: 'none' } }],
  ])('is refused for %s', (field, overrides) => {
    expect(new Simulation().register(overrides)).toMatchObject({
      ok: false,
      error: { code: 'invalid_argument', field },
    })
  })
})

describe('an address that may not be probed', () => {
  it('is never asked for a baseline, and silence is told without one', () => {
    const sim = new Simulation()
    sim.permits = (host) => host !== '10.0.0.1'
    sim.register({ incarnation: 5 })
    sim.register({ id: 'b', incarnation: 5, host: '10.0.0.2' })
    sim.run(2_000)
    expect(sim.probes.map(({ key }) => key.id)).toEqual(['b'])
    expect(sim.read.explain(keyOf('a'))).toMatchObject({ evidence: { baseline: false, probeAllowed: false } })
  })
})
