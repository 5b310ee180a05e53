/** Processes behind one port: who holds the id, who is next, and who is told. */
import { describe, expect, it } from 'vitest'
import type { Session } from '../caller.js'
import type { RegisterCommand } from '../commands.js'
import { keyOf, Simulation } from '../simulated-node.fixture.js'

interface Worker {
  readonly session: Session
  /** What the node told it: `superseded`, with a star where it stands in line, and `vacant` with the number. */
  readonly told: string[]
}

function setUp(): { readonly sim: Simulation; readonly worker: () => Worker } {
  const sim = new Simulation()
  return {
    sim,
    worker() {
      const told: string[] = []
      const session = sim.openSession({
        onRemoved: (refs) =>
          told.push(...refs.map(({ reason, standby = false }) => (standby ? `${reason}*` : reason))),
        onVacant: (refs) => told.push(...refs.map(({ incarnation }) => `vacant ${incarnation}`)),
      })
      return { session, told }
    },
  }
}

/** A code with a star where the session stands in line, or the incarnation. */
function register(sim: Simulation, { session }: Worker, given: Partial<RegisterCommand>): string {
  const answer = sim.register(given, session)
  if (answer.ok) return String(answer.incarnation)
  return `${answer.error.code}${answer.error.details?.['standby'] === true ? '*' : ''}`
}

const states = (sim: Simulation): string[] => sim.transcript.map((line) => line.split(' ')[2] ?? '')
const state = (sim: Simulation): unknown => sim.node.directory.entry(keyOf('a'))?.state

/** Three workers at one address; the last one holds the id. */
function three() {
  const { sim, worker } = setUp()
  const [first, second, third] = [worker(), worker(), worker()]
  for (const [index, each] of [first, second, third].entries())
    register(sim, each, { incarnation: 5 + index })
  return { sim, worker, first, second, third }
}

describe('processes behind one port', () => {
  it('stand in line when another takes the id at their address', () => {
    const { first, second, third } = three()
    expect([first.told, second.told, third.told]).toEqual([['superseded*'], ['superseded*'], []])
  })

  it('stand in line however their address is written', () => {
    const { sim, worker } = setUp()
    const [first, second] = [worker(), worker()]
    register(sim, first, { incarnation: 5, host: '::1' })
    register(sim, second, { incarnation: 6, host: '0:0:0:0:0:0:0:1' })
    expect(first.told).toEqual(['superseded*'])
  })

  it('stand in line when they come too late for it', () => {
    const { sim, worker } = setUp()
    const [holder, late] = [worker(), worker()]
    register(sim, holder, { incarnation: 9 })
    expect(register(sim, late, { incarnation: 5 })).toBe('id_taken*')
    expect(register(sim, late, { incarnation: 5 })).toBe('id_taken*')
    sim.deregister('a', 9, holder.session)
    expect(late.told).toEqual(['vacant 9'])
  })

  it('do not at another address', () => {
    const { sim, worker } = setUp()
    const [holder, late, other] = [worker(), worker(), worker()]
    register(sim, holder, { incarnation: 9 })
    expect(register(sim, late, { incarnation: 5, port: 4000 })).toBe('id_taken')
    register(sim, other, { incarnation: 10, port: 4000 })
    sim.deregister('a', 10, other.session)
    expect([holder.told, late.told]).toEqual([['superseded'], []])
  })

  it.each<[string, (scene: ReturnType<typeof three>) => void]>([
    ['drains', ({ sim, third }) => register(sim, third, { incarnation: 7, rev: 2, intent: 'draining' })],
    ['deregisters', ({ sim, third }) => sim.deregister('a', 7, third.session)],
    ['closes its session', ({ third }) => third.session.close()],
  ])('are told one at a time when the holder %s, and take over at once', (_, leave) => {
    const scene = three()
    const { sim, first, second, third } = scene
    leave(scene)
    expect([first.told, second.told]).toEqual([['superseded*', 'vacant 7'], ['superseded*']])
    expect(register(sim, first, { incarnation: 8 })).toBe('8')
    expect(state(sim)).toBe('up')
    sim.deregister('a', 7, third.session)
    third.session.close()
    expect(state(sim)).toBe('up')
    first.session.close()
    expect(second.told).toEqual(['superseded*', 'vacant 8'])
  })

  it('are told when the one that was told ends before it has taken over, or gives up', () => {
    const { sim, first, second, third, worker } = three()
    const last = worker()
    expect(register(sim, last, { incarnation: 4 })).toBe('id_taken*')
    third.session.close()
    expect(first.told).toContain('vacant 7')
    first.session.close()
    expect(second.told).toContain('vacant 7')
    expect(last.told).toEqual([])
    sim.deregister('a', 6, second.session)
    expect(last.told).toEqual(['vacant 7'])
    expect(sim.record()?.incarnation).toBe(7)
  })

  it('are told when the holder is silent', () => {
    const { sim, worker } = setUp()
    const [holder, late] = [worker(), worker()]
    register(sim, holder, { incarnation: 9, liveness: 'lease' })
    register(sim, late, { incarnation: 5 })
    sim.network = () => 'silence'
    for (let ms = 0; ms < 20_000 && late.told.length === 0; ms += 1_000) {
      late.session.heard()
      sim.run(1_000)
    }
    expect(late.told).toEqual(['vacant 9'])
  })

  it('need not wait for one that has closed its session already', () => {
    const { sim, worker } = setUp()
    const [holder, next] = [worker(), worker()]
    register(sim, holder, { incarnation: 9 })
    holder.session.close()
    expect(register(sim, next, { incarnation: 5 })).toBe('superseded')
    expect(register(sim, next, { incarnation: 10 })).toBe('10')
    expect(states(sim)).not.toContain('suspect')
  })

  it('are not displaced by one that has yet to start', () => {
    const { sim, worker } = setUp()
    const [holder, young] = [worker(), worker()]
    register(sim, holder, { incarnation: 5 })
    expect(register(sim, young, { incarnation: 6, intent: 'starting' })).toBe('id_taken*')
    expect(sim.deregister('a', 6, young.session).superseded).toHaveLength(1)
    expect(sim.record()?.incarnation).toBe(5)
    register(sim, young, { incarnation: 6, intent: 'starting' })
    holder.session.close()
    expect(young.told).toEqual(['vacant 5'])
    expect(register(sim, young, { incarnation: 6, intent: 'starting' })).toBe('6')
  })

  it('leave nothing behind', () => {
    const { sim, first, second, third } = three()
    const { line } = sim.node.liveness.sessions
    expect(line.size).toBe(2)
    sim.deregister('a', 5, first.session)
    second.session.close()
    expect(line.size).toBe(0)
    third.session.close()
    expect([...first.told, ...second.told]).toEqual(['superseded*', 'superseded*'])
  })
})
