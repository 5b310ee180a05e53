/** Sessions: closed, silent, and two of one client. */
import { describe, expect, it } from 'vitest'
import { Simulation } from '../simulated-node.fixture.js'
import type { SessionEvidence } from './evidence.js'

/** A process on a session that pings every 3 s and has been up for ten. */
function setUp() {
  const sim = new Simulation()
  const shell = { silences: 0, onSilent: (): void => {} }
  const session = sim.openSession({
    onSilent: () => {
      shell.silences++
      shell.onSilent()
    },
  })
  sim.register({ incarnation: 5 }, session)
  const freeze = sim.every(3_000, () => session.heard())
  sim.run(9_000)
  sim.mark()
  return { sim, session, freeze, shell }
}

/** The process is killed: the kernel closes the connection and refuses new ones. */
function kill(sim: Simulation, session: SessionEvidence, freeze: () => void): void {
  freeze()
  sim.network = () => 'refused'
  session.close()
}

describe('a session that is closed', () => {
  it('and refused twice is down in 100 ms, then expires, and is forgotten after the retention (G2)', () => {
    const { sim, session, freeze } = setUp()
    kill(sim, session, freeze)
    sim.run(4_000_000)
    // 52 = two answers of 1 ms and half of the refusal gap; the wheel adds up to one slot of 50 ms.
    expect(sim.transcript).toEqual([
      '52 a down refused',
      '60100 a hidden down_too_long',
      '3660100 a forgotten',
    ])
    expect(sim.inFlightMax).toBe(1)
    expect(sim.node.directory.find('default', 'orders')).toBeUndefined()
  })

  it('is asked at once, with a timeout that leaves the grace intact', () => {
    const { sim, session, freeze } = setUp()
    kill(sim, session, freeze)
    expect(sim.probes).toMatchObject([{ purpose: 'evidence', delayMs: 0, timeoutMs: 400 }])
  })

  it('though it was heard in the same instant', () => {
    const { sim, session, freeze } = setUp()
    session.heard()
    kill(sim, session, freeze)
    sim.run(200)
    expect(sim.transcript).toEqual(['52 a down refused'])
  })

  it('and does not answer is suspect after the grace, then down', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    session.close()
    sim.run(20_000)
    expect(sim.transcript).toEqual(['500 a suspect session_closed', '9400 a down silence'])
  })

  it('and accepts connections is suspect after the grace and held for three leases at most', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    session.close()
    sim.run(40_000)
    expect(sim.transcript).toEqual(['500 a suspect session_closed', '27000 a down silence'])
  })

  it('and accepts one more connection while its process is dying is asked again after the grace', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    session.close()
    // The kernel closes the files of a killed process one by one, and its port may come last.
    sim.after(20, () => {
      sim.network = () => 'refused'
    })
    sim.run(2_000)
    expect(sim.transcript).toEqual(['500 a suspect session_closed', '552 a down refused'])
    expect(sim.asked('evidence')).toEqual([0, 500, 501])
  })

  it('and goes on accepting connections is asked twice within its lease', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    session.close()
    sim.run(8_900)
    expect(sim.asked('evidence')).toEqual([0, 500])
  })

  it('and was refused once only is merely suspect', () => {
    const { sim, session, freeze } = setUp()
    kill(sim, session, freeze)
    sim.after(20, () => {
      sim.network = () => 'succeeded'
    })
    sim.run(1_000)
    expect(sim.transcript).toEqual(['500 a suspect session_closed'])
  })

  it('and returns within the grace is never published', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    session.close()
    sim.run(450)
    const next = sim.openSession()
    sim.register({ incarnation: 5 }, next)
    sim.every(3_000, () => next.heard())
    sim.run(60_000)
    expect(sim.transcript).toEqual([])
  })

  it('and returns after it was found down is up at once', () => {
    const { sim, session, freeze } = setUp()
    kill(sim, session, freeze)
    sim.run(1_000)
    sim.register({ incarnation: 5 }, sim.openSession())
    expect(sim.transcript).toEqual(['52 a down refused', '1000 a up heard'])
  })

  it('ignores refusals that arrive after new evidence', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    sim.network = () => ({ outcome: 'refused', afterMs: 200 })
    session.close()
    sim.run(100)
    const next = sim.openSession()
    sim.register({ incarnation: 5 }, next)
    sim.every(3_000, () => next.heard())
    sim.run(5_000)
    expect(sim.transcript).toEqual([])
  })

  it('is asked anew when the answer under way belongs to an older question', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    sim.network = () => ({ outcome: 'succeeded', afterMs: 300 })
    sim.run(6_060)
    expect(sim.asked('evidence')).toEqual([6_050])
    // It wakes up, is heard, and is killed while the question about its silence is still open.
    session.heard()
    kill(sim, session, freeze)
    sim.run(1_000)
    expect(sim.transcript).toEqual(['6402 a down refused'])
    expect(sim.inFlightMax).toBe(1)
  })

  it('is asked anew also when all of that happens in one instant', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    let questions = 0
    sim.network = () => (++questions === 1 ? { outcome: 'succeeded', afterMs: 300 } : 'refused')
    sim.run(6_050)
    expect(sim.asked('evidence')).toEqual([6_050])
    session.heard()
    session.close()
    sim.run(1_000)
    expect(sim.transcript).toEqual(['6402 a down refused'])
  })

  it('without a baseline is never refused to death', () => {
    const sim = new Simulation()
    sim.network = () => 'refused'
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.mark()
    session.close()
    sim.run(1_000)
    expect(sim.transcript).toEqual(['500 a suspect session_closed'])
  })

  it('while another vouches for the instance already changes nothing', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    const next = sim.openSession()
    sim.register({ incarnation: 5 }, next)
    sim.every(3_000, () => next.heard())
    sim.network = () => 'refused'
    session.close()
    sim.run(30_000)
    expect(sim.transcript).toEqual([])
    expect(session.vouched.size).toBe(0)
  })

  it('is forgiven by beats over HTTP, which then carry the lease', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    session.close()
    sim.run(400)
    sim.beat('a', 5)
    sim.run(7_400)
    expect(sim.transcript).toEqual([])
    sim.run(2_000)
    expect(sim.transcript).toEqual(['8900 a suspect silence'])
  })

  it('judges a thousand instances alike', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    for (let n = 0; n < 1_000; n++) sim.register({ id: `i${n}`, port: 3000 + n, incarnation: 5 }, session)
    sim.run(1_000)
    sim.mark()
    sim.network = ({ port }) => (port % 2 === 0 ? 'refused' : 'silence')
    session.close()
    sim.run(600)
    expect(sim.node.directory.states).toMatchObject({ up: 0, down: 500, suspect: 500 })
    expect(sim.inFlightMax).toBe(1)
  })
})

describe('a session that was moved', () => {
  it('speaks for its instances as a beat does: they are asked at half the lease, and doubted after that', () => {
    const { sim, session, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    session.moved()
    sim.run(7_000)
    expect([sim.transcript, sim.probes]).toEqual([[], []])
    sim.run(3_000)
    expect(sim.transcript).toEqual([expect.stringMatching(/^8\d{3} a suspect silence$/)])
  })
})

describe('a session that falls silent', () => {
  it('is asked after two missed pings and suspect when that fails (G2: within 10 s)', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    sim.run(8_000)
    expect(sim.asked('evidence')).toEqual([6_050])
    expect(sim.transcript).toEqual(['7050 a suspect silence'])
  })

  it('as a stopped process does, whose kernel answers, is suspect at the end of its lease and down within three', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.run(8_900)
    expect(sim.transcript).toEqual([])
    sim.run(40_000)
    expect(sim.transcript).toEqual(['9000 a suspect silence', '27000 a down silence'])
  })

  it('is closed by its shell at the end of its lease, which gives no further grace', () => {
    const { sim, session, freeze, shell } = setUp()
    freeze()
    shell.onSilent = () => session.close()
    sim.run(9_100)
    expect(shell.silences).toBe(1)
    expect(sim.transcript).toEqual(['9000 a suspect silence'])
  })

  it('asks its shell once to close the connection', () => {
    const { sim, freeze, shell } = setUp()
    freeze()
    sim.run(8_950)
    expect(shell.silences).toBe(0)
    sim.run(60_000)
    expect(shell.silences).toBe(1)
  })

  it('and speaks again is up at once with everything it vouches for', () => {
    const { sim, session, freeze } = setUp()
    sim.register({ id: 'b', incarnation: 5, port: 4000 }, session)
    freeze()
    sim.network = () => 'silence'
    sim.run(8_000)
    expect([sim.shown('a'), sim.shown('b')]).toEqual(['suspect silence', 'suspect silence'])
    session.heard()
    expect([sim.shown('a'), sim.shown('b')]).toEqual(['up', 'up'])
    sim.mark()
    sim.run(7_100)
    expect(sim.transcript).toEqual(['7050 a suspect silence', '7050 b suspect silence'])
  })

  it('costs nothing while it speaks', () => {
    const { sim } = setUp()
    sim.run(600_000)
    expect(sim.probes).toEqual([])
    expect(sim.transcript).toEqual([])
  })

  it('does not keep alive what closed it', () => {
    const { sim, session, freeze } = setUp()
    kill(sim, session, freeze)
    session.heard()
    sim.run(200)
    expect(sim.shown()).toBe('down refused')
  })
})

describe('two open sessions of one client', () => {
  /** Both vouch for the instance; the second was given up by the client, and its last words came late. */
  function late() {
    const { sim, session } = setUp()
    const stale = sim.openSession()
    sim.register({ incarnation: 5 }, stale)
    sim.mark()
    return { sim, session, stale }
  }

  it('leave the instance with the one that is still open, whichever registered last', () => {
    const { sim, stale } = late()
    stale.close()
    sim.run(30_000)
    expect(sim.transcript).toEqual([])
    expect(sim.asked('evidence')).toEqual([])
  })

  it('have both to be closed before there is a verdict', () => {
    const { sim, session, stale } = late()
    sim.network = () => 'silence'
    session.close()
    sim.run(1_400)
    expect(sim.transcript).toEqual([])
    stale.close()
    sim.run(600)
    expect(sim.transcript).toEqual(['1900 a suspect session_closed'])
  })

  it('survive a third that comes and goes', () => {
    const { sim, stale } = late()
    const third = sim.openSession()
    sim.register({ incarnation: 5 }, third)
    stale.close()
    third.close()
    sim.run(30_000)
    expect(sim.transcript).toEqual([])
  })
})
