/** A node that stood still, and what hearing costs. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { assess } from './assess.js'
import { Simulation } from '../simulated-node.fixture.js'

vi.mock(import('./assess.js'), async (original) => {
  const real = await original()
  return { ...real, assess: vi.fn(real.assess) }
})

afterEach(() => {
  vi.mocked(assess).mockClear()
})

describe('a node that stalls', () => {
  it('suspects nobody whose beats wait in its sockets', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    const session = sim.openSession()
    sim.register({ id: 'stream', incarnation: 5 }, session)
    sim.register({ id: 'http', incarnation: 5 })
    sim.run(1_000)
    sim.mark()
    for (let round = 0; round < 5; round++) {
      sim.stall(60_000)
      sim.beat('http', 5)
      session.heard()
      sim.run(2_000)
    }
    expect(sim.transcript).toEqual([])
    expect(sim.counted.get('rollcall_stalls_total')).toBe(5)
  })

  it('counts as silence only what passed outside the stall', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    sim.run(5_000)
    sim.stall(60_000)
    sim.mark()
    sim.run(2_000)
    expect(sim.asked('evidence')).toEqual([])
    sim.run(1_000)
    expect(sim.asked('evidence')).toHaveLength(1)
  })

  it('does not expire or forget anything by its own sleep', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    sim.run(20_000)
    expect(sim.shown()).toBe('down silence')
    sim.stall(3_000_000)
    sim.run(10_000)
    expect(sim.shown()).toBe('down silence')
  })

  it('still hears of closed sessions and believes refusals', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.run(1_000)
    sim.network = () => 'refused'
    sim.stall(30_000)
    sim.mark()
    session.heard()
    session.close()
    sim.run(1_000)
    expect(sim.transcript).toEqual(['52 a down refused'])
  })

  it('gives a session closed during a short stall its whole grace', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.run(1_000)
    sim.network = () => 'silence'
    sim.now += 1_900
    session.close()
    sim.stall(1_000)
    sim.mark()
    sim.run(400)
    expect(sim.transcript).toEqual([])
    sim.run(200)
    expect(sim.transcript).toEqual(['500 a suspect session_closed'])
  })

  it('and whose loop is always slow still judges, only slower', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    for (let tick = 0; tick < 500; tick++) {
      sim.stall(400)
      sim.run(20)
    }
    expect(sim.shown()).toBe('down silence')
  })

  it('survives a clock that wobbles', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    for (const ms of [5_000, -200, 300, -50, 100]) {
      sim.now += ms
      sim.node.tick(sim.now)
      sim.beat('a', 5)
    }
    expect(sim.shown()).toBe('up')
  })

  it('gives the sessions that its clients gave up meanwhile a lease to come back', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.run(1_000)
    sim.mark()
    sim.stall(60_000)
    session.close()
    sim.run(8_900)
    expect(sim.transcript).toEqual([])
    sim.run(200)
    expect(sim.shown()).toBe('suspect silence')
  })

  it('is as quick as ever with sessions that are closed after that lease', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.stall(60_000)
    const stop = sim.every(3_000, () => session.heard())
    sim.run(10_000)
    stop()
    sim.mark()
    session.close()
    sim.run(600)
    expect(sim.transcript).toEqual(['500 a suspect session_closed'])
  })
})

describe('the cost of hearing', () => {
  it('is no judgement per beat: an instance is looked at when its silence could first matter', () => {
    const sim = new Simulation()
    const beats = 1_000
    for (let n = 0; n < beats; n++) sim.register({ id: `i${n}`, incarnation: 5 })
    sim.run(1_000)
    vi.mocked(assess).mockClear()
    sim.every(1_000, () => {
      for (let n = 0; n < beats; n++) sim.beat(`i${n}`, 5)
    })
    sim.run(60_000)
    // 60,000 beats; each instance comes round every 6.5 to 7.5 s.
    expect(vi.mocked(assess).mock.calls.length).toBeLessThanOrEqual(beats * 10)
    expect(vi.mocked(assess).mock.calls.length).toBeGreaterThanOrEqual(beats * 7)
  })

  it('of a session is one look for all its instances', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    for (let n = 0; n < 1_000; n++) sim.register({ id: `i${n}`, incarnation: 5 }, session)
    sim.run(1_000)
    vi.mocked(assess).mockClear()
    sim.every(3_000, () => session.heard())
    sim.run(600_000)
    expect(vi.mocked(assess)).not.toHaveBeenCalled()
  })

  it('is one probe at a time for each instance, however it flaps', () => {
    const sim = new Simulation()
    sim.network = (request) => (request.port % 2 === 0 ? 'refused' : { outcome: 'succeeded', afterMs: 900 })
    for (let n = 0; n < 20; n++)
      sim.register({
        id: `i${n}`,
        port: 3000 + n,
        leaseMs: 1_000,
        liveness: n < 10 ? 'lease' : 'probe',
        incarnation: 5,
      })
    let turn = 0
    sim.every(170, () => {
      turn++
      const id = `i${(turn * 7) % 20}`
      if (turn % 3 === 0) openWith(sim, id).close()
      else sim.beat(id, 5)
    })
    sim.run(120_000)
    expect(sim.inFlightMax).toBe(1)
  })
})

function openWith(sim: Simulation, id: string) {
  const session = sim.openSession()
  const content = sim.record(id)?.content
  if (content !== undefined && content.intent !== 'gone') {
    sim.register(
      { id, port: content.port, leaseMs: content.leaseMs, liveness: content.liveness, incarnation: 5 },
      session,
    )
  }
  return session
}
