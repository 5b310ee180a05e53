/** The share of a service that silence may take, where several nodes judge its instances. */
import { describe, expect, it } from 'vitest'
import { Nodes } from '../cluster/nodes.fixture.js'
import { ref } from '../simulated-node.fixture.js'
import { LIVENESS_DEFAULTS } from './options.js'
import { silentDeathsMax } from './service-breaker.js'

const NAMES = ['a', 'b', 'c'] as const
const IDS = Array.from({ length: 20 }, (_, index) => `i${index}`)
const MAX = silentDeathsMax(IDS.length, LIVENESS_DEFAULTS.serviceBreaker.share)

/** Twenty that beat, each at the node that judges it, until some are cut off. */
class Service {
  readonly nodes = new Nodes(NAMES, { liveness: { serviceBreaker: LIVENESS_DEFAULTS.serviceBreaker } })
  private readonly mute = new Set<string>()
  private turn = 0

  constructor() {
    for (const [index, id] of IDS.entries()) this.nodes.register(NAMES[index % 3]!, { id })
    this.run(20_000)
  }

  run(ms: number): void {
    this.nodes.every(1_000, ms, () => {
      if (this.turn++ % 5 !== 0) return
      for (const [index, id] of IDS.entries()) {
        const sim = this.nodes.get(NAMES[index % 3]!)
        if (!this.mute.has(id)) sim.node.heard([ref(id, 5)], sim.now)
      }
    })
  }

  cutOff(ids: readonly string[]): void {
    for (const id of ids) this.mute.add(id)
    this.nodes.network(() => 'silence')
  }

  heal(): void {
    this.mute.clear()
    this.nodes.network(() => 'succeeded')
  }

  /** Those that are down at a node. */
  down(at: string): string[] {
    return IDS.filter((id) => this.nodes.get(at).shown(id)?.startsWith('down') === true)
  }

  guards(): boolean[] {
    return NAMES.map((name) => {
      const { node } = this.nodes.get(name)
      return node.liveness.guardOf(node.directory.find('default', 'orders')).tripped
    })
  }
}

describe('several nodes whose instances of a service fall silent in the same moment', () => {
  it('take its share together, not each', () => {
    const service = new Service()
    service.cutOff(IDS)
    for (let second = 0; second < 60; second++) {
      service.run(1_000)
      for (const name of NAMES) expect(service.down(name).length).toBeLessThanOrEqual(MAX)
    }
    for (const name of NAMES) expect(service.down(name)).toHaveLength(MAX)
    expect(service.guards()).toContain(true)
    service.heal()
    service.run(10_000)
    expect(service.down('a')).toEqual([])
    expect(service.guards()).toEqual([false, false, false])
  })

  it('keep none of as many as the share allows', () => {
    const service = new Service()
    service.cutOff(IDS.slice(0, MAX))
    service.run(20_000)
    for (const name of NAMES) expect(service.down(name)).toEqual(IDS.slice(0, MAX))
    expect(service.guards()).toEqual([false, false, false])
  })

  it('do not wait for one that another node doubts and that comes back', () => {
    const service = new Service()
    service.cutOff(IDS.slice(0, MAX + 2))
    service.run(9_000)
    expect(service.down('a')).toEqual([])
    service.heal()
    service.cutOff(IDS.slice(3, MAX + 2))
    service.run(15_000)
    for (const name of NAMES) expect(service.down(name)).toEqual(IDS.slice(3, MAX + 2))
  })
})
