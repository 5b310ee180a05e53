/** What is on a host: always what a walk over the whole directory would find, without one. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalHost } from '@rollcall/wire'
import { isLive } from '../records/state.js'
import { Simulation } from '../simulated-node.fixture.js'

const HOSTS = [
  '10.0.0.1',
  '::ffff:10.0.0.1',
  '10.0.0.2',
  'Host.example',
  'host.example.',
  '::1',
  '0:0:0:0:0:0:0:1',
]

/** The ids on each host, by the index and by a walk. */
function compared(sim: Simulation): { indexed: string[][]; walked: string[][] } {
  const entries = [...sim.node.directory.entries()]
  return {
    indexed: HOSTS.map((host) => [...sim.node.hosts.on(host)].map(({ record }) => record.id).sort()),
    walked: HOSTS.map((host) =>
      entries
        .flatMap(({ record }) =>
          isLive(record) && canonicalHost(record.content.host) === canonicalHost(host) ? [record.id] : [],
        )
        .sort(),
    ),
  }
}

const step = fc.record({
  kind: fc.constantFrom('register', 'deregister', 'host', 'learn', 'pass', 'restart'),
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  host: fc.constantFrom(...HOSTS),
  incarnation: fc.integer({ min: 1, max: 4 }),
})

describe('what is on a host', () => {
  it('is what a walk finds, whatever happened', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let sim = new Simulation({ liveness: { removalMs: 1_000 } })
        const other = new Simulation({ nodeId: 'node-2' })
        sim.network = () => 'silence'
        for (const { kind, id, host, incarnation } of steps) {
          if (kind === 'register') sim.register({ id, host, incarnation, leaseMs: 1_000 })
          else if (kind === 'deregister') sim.deregister(id, incarnation)
          else if (kind === 'host')
            sim.execute({ kind: 'deregisterHost', namespace: '*', host, confirm: true })
          else if (kind === 'pass') sim.run(incarnation === 4 ? 4_000_000 : 5_000)
          else if (kind === 'learn') {
            other.register({ id, host, incarnation })
            sim.node.learn(other.entries.splice(0) as Parameters<typeof sim.node.learn>[0], sim.now)
          } else {
            const kept = [...sim.node.snapshot()]
            sim = new Simulation({ liveness: { removalMs: 1_000 } })
            sim.network = () => 'silence'
            sim.node.load(kept, sim.now)
          }
          const { indexed, walked } = compared(sim)
          expect(indexed).toEqual(walked)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is removed without a look at what is elsewhere', () => {
    const sim = new Simulation()
    for (let n = 0; n < 1_000; n++) sim.register({ id: `i${n}`, host: '10.0.0.2', incarnation: 1 })
    sim.register({ id: 'here', incarnation: 1 })
    let looked = 0
    for (const { entries } of sim.node.directory.servicesOf('default')) {
      entries.values = function* (this: typeof entries) {
        for (const entry of Set.prototype.values.call(this)) {
          looked++
          yield entry
        }
      } as typeof entries.values
    }
    const removal = { kind: 'deregisterHost', namespace: '*', host: '10.0.0.1', confirm: true } as const
    expect(sim.execute(removal)).toMatchObject({ removed: [{ id: 'here' }] })
    expect(looked).toBe(0)
  })
})
