/** Invariant I6: all replicas agree. */
import {
  contentDigest,
  effectiveWeight,
  isLive,
  NODE_DEFAULTS,
  RegistryNode,
  shownState,
} from '@rollcall/core'
import { formatLanes, mix, parseLanes, SignSum, STATE_NUMBERS, type ViewName } from '@rollcall/wire'
import type { Invariant } from './invariant.js'
import { type Scene, serves } from '../world/scene.js'

/**
 * I6: when all is well, everybody has the same sign for a view: the registry, every consumer, a node that starts
 * from what this one would write down, and the sum computed from the records from scratch.
 */
export function createAgreement(world: Scene): Invariant {
  const invariant: Invariant = {
    name: 'I6 agreement',
    healed() {
      const { driver, shown } = world.registry
      if (driver === undefined || shown === undefined) world.violated(invariant, 'there is no registry')
      const entries = [...driver.snapshot()]
      const other = new RegistryNode(0, { ...NODE_DEFAULTS, nodeId: 'other' }, { persist() {}, probe() {} })
      other.load(entries, 0)
      const records = entries.flatMap((entry) => (entry.kind === 'record' ? [entry.record] : []))
      const compare = (name: ViewName, who: string, sign: string): void => {
        const own = shown.sign(name)
        if (sign !== own)
          world.violated(invariant, `${name.service}: ${who} has ${sign}, the registry ${own}`)
      }
      for (const consumer of world.consumers) {
        if (consumer.client === undefined || !consumer.owed(world.queue.now)) continue
        if (!serves(world, consumer, 0)) continue
        for (const status of consumer.client.status().services) {
          compare(status, consumer.name, status.clusters[world.cluster]?.sign ?? '')
        }
      }
      for (const { namespace, service } of shown.services({}).services) {
        const name = { namespace, service }
        compare(name, 'a node from the same records', other.directory.sum(name)?.toString() ?? '')
        const sum = new SignSum()
        for (const record of records) {
          const state = shownState(record)
          if (record.service !== service || state === null || !isLive(record)) continue
          const digest = contentDigest(record, record.incarnation, record.content)
          const { hi, lo } = mix(parseLanes(digest), STATE_NUMBERS[state], effectiveWeight(record))
          sum.add(hi, lo)
        }
        compare(name, 'the sum from scratch', formatLanes(sum.hi, sum.lo))
      }
    },
  }
  return invariant
}
