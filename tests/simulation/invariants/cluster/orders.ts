/** Invariant I19 over several nodes: an order given at one of them stands at all. */
import { keyText } from '../../world/endpoint.js'
import { isTogether, type Scene, unrestAt } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'
import { namesOf, NOTHING, ordersOf, standingIn } from '../orders.js'

/** By then every node has heard, and an order before another one was heard where that one was given. */
const TOLD_MS = 2_000

interface Order {
  /** What may stand: more than one where orders were given at nodes that did not hear each other. */
  readonly texts: ReadonlySet<string>
  readonly at: number
}

/**
 * I19: while the cluster is together overrides, freezes and declarations stand at every node as they were ordered last, at
 * whichever node that was, and nothing stands that was not ordered. Of orders that were given while nodes did not hear each
 * other, or at once, one of them stands, the same one at all (I6).
 */
export function createClusterOrders(nodes: readonly Scene[]): readonly Invariant[] {
  const acknowledged = new Map<string, Order>()
  const unknown = new Set<string>()
  return nodes.map((scene) => createOf(scene, acknowledged, unknown))
}

function createOf(world: Scene, acknowledged: Map<string, Order>, unknown: Set<string>): Invariant {
  const invariant: Invariant = {
    name: 'I19 orders',
    executing: (command) => {
      // It counts as given from now on, whether its answer comes or not.
      for (const name of namesOf(command)) unknown.add(name)
    },
    executed(done) {
      const { now } = world.queue
      for (const [name, text] of ordersOf(done)) {
        const known = acknowledged.get(name)
        const isLast = unrestAt(world) < now - TOLD_MS && (known === undefined || known.at < now - TOLD_MS)
        const before = known?.texts ?? NONE
        const texts = isLast ? new Set([text]) : before === ANYTHING ? ANYTHING : new Set([...before, text])
        acknowledged.set(name, { texts, at: now })
      }
    },
    over(command) {
      for (const name of namesOf(command)) unknown.delete(name)
    },
    ended() {
      // What was ordered here and not told to another node is lost with this one.
      for (const [name, order] of acknowledged)
        if (order.at > world.queue.now - TOLD_MS || unrestAt(world) > order.at)
          acknowledged.set(name, { ...order, texts: ANYTHING })
    },
    journalled(entries) {
      for (const entry of entries) {
        if (entry.kind !== 'forget') continue
        const name = `override ${keyText(entry.key)}`
        const order = acknowledged.get(name)
        // A weight binds to its incarnation and goes with it; nothing else does.
        const texts = [...(order?.texts ?? [])]
        if (order !== undefined && texts.some((text) => !/"(drain|disable)":true/.test(text)))
          acknowledged.set(name, { ...order, texts: new Set([...texts, NOTHING]) })
      }
    },
    looked() {
      const { registry, queue } = world
      if (registry.shown === undefined || !isTogether(world)) return
      const standing = standingIn(registry.shown, world)
      for (const name of new Set([...standing.keys(), ...acknowledged.keys()])) {
        const order = acknowledged.get(name)
        if (unknown.has(name) || order?.texts === ANYTHING || queue.now <= (order?.at ?? 0) + TOLD_MS)
          continue
        const stands = standing.get(name) ?? NOTHING
        if (!(order?.texts ?? NONE).has(stands))
          world.violated(
            invariant,
            `${name}: ${[...(order?.texts ?? NONE)].join(' or ') || 'nothing'} was ordered last, and ${stands || 'nothing'} stands`,
          )
      }
    },
  }
  return invariant
}

const NONE: ReadonlySet<string> = new Set([NOTHING])

/** What may stand where nothing is known of the last order. */
const ANYTHING: ReadonlySet<string> = new Set()
