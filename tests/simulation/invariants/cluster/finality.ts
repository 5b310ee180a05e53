/** Invariant I3 over several nodes: a deregistration at one of them is final at all. */
import { LIVENESS_DEFAULTS } from '@rollcall/core'
import type { Durability, Instance } from '@rollcall/wire'
import { keyText } from '../../world/endpoint.js'
import { isTogether, type Scene, unrestAt } from '../../world/scene.js'
import type { Executed } from '../../world/witness.js'
import type { Invariant } from '../invariant.js'

/** Within this every node knows, and every consumer was told. */
const TOLD_MS = 1_000

interface Grave {
  readonly incarnation: number
  readonly at: number
  readonly durability: Durability
  /** The node that answered. */
  readonly by: Scene
  /** When the engine was first seen to hold it. */
  publishedAt: number | undefined
}

/** What was deregistered in a cluster, wherever that was. */
class Graves {
  private readonly retentionMs: number
  private readonly graves = new Map<string, Grave>()
  private readonly first: Scene

  constructor(first: Scene) {
    this.first = first
    this.retentionMs = first.scenario.liveness.retentionMs ?? LIVENESS_DEFAULTS.retentionMs
  }

  dig({ kind, answer, durability }: Executed, by: Scene): void {
    if (kind !== 'deregister' && kind !== 'deregisterHost') return
    for (const ref of [...answer.removed, ...answer.unknown]) {
      const { incarnation } = ref
      const known = this.graves.get(keyText(ref))
      if (incarnation === undefined || (known !== undefined && known.incarnation >= incarnation)) continue
      const { now } = this.first.queue
      this.graves.set(keyText(ref), { incarnation, at: now, durability, by, publishedAt: undefined })
    }
  }

  /** A node is gone, and with it what nothing else holds; `disk`: that as well. */
  lost(node: Scene, disk: boolean): void {
    for (const [key, { by, durability, publishedAt }] of this.graves) {
      if (by !== node || publishedAt !== undefined || durability === 'replicated') continue
      if (disk || durability === 'memory') this.graves.delete(key)
    }
  }

  looked(): void {
    for (const [key, grave] of this.graves) {
      if (grave.publishedAt !== undefined || this.first.engine === undefined) continue
      const stored = this.first.engine.record(key)
      const isThere =
        stored !== undefined &&
        (stored.incarnation > grave.incarnation ||
          (stored.incarnation === grave.incarnation && stored.content.intent === 'gone'))
      if (isThere) grave.publishedAt = this.first.queue.now
    }
  }

  /** What was deregistered of the incarnation of an instance; it counts until the retention is over, from publication on. */
  of(instance: Instance): Grave | undefined {
    const grave = this.graves.get(keyText(instance))
    if (grave === undefined || instance.incarnation > grave.incarnation) return undefined
    const until = grave.publishedAt === undefined ? Infinity : grave.publishedAt + this.retentionMs
    return this.first.queue.now < until ? grave : undefined
  }
}

/**
 * I3: an incarnation whose deregistration was acknowledged is never listed again by the node that answered, nor by one that
 * has lost it, unless the list says that it is stale; by none a second later while the cluster is together; and by none after it has come together. While it is, no
 * consumer that is undisturbed has it left to choose.
 */
export function createClusterFinality(nodes: readonly Scene[]): readonly Invariant[] {
  const graves = new Graves(nodes[0]!)
  return nodes.map((scene) => createOf(scene, graves))
}

function createOf(world: Scene, graves: Graves): Invariant {
  let erasures = 0
  const newest = new Map<string, number>()
  const lost = new Map<string, number>()

  /** Whether an instance must not be listed here any more. */
  function isOver(instance: Instance, ms: number): boolean {
    const grave = graves.of(instance)
    if (grave === undefined) return false
    if (grave.by === world || instance.incarnation <= (lost.get(keyText(instance)) ?? -1)) return true
    return world.queue.now >= grave.at + ms && unrestAt(world) < grave.at - ms
  }

  const invariant: Invariant = {
    name: 'I3 finality',
    executed: (done) => graves.dig(done, world),
    ended() {
      graves.lost(world, false)
      newest.clear()
      lost.clear()
    },
    booted() {
      const { erasures: now } = world.registry.journal
      if (now !== erasures) graves.lost(world, true)
      erasures = now
    },
    journalled(entries) {
      for (const entry of entries) if (entry.kind === 'forget') newest.delete(keyText(entry.key))
    },
    viewed(view, { instances, stale }, before) {
      // A node that cannot ask serves what its journal has, and says that it may be old.
      if (view.group !== undefined || stale) return
      const now = new Set(instances.map(keyText))
      for (const was of before?.instances ?? [])
        if (!now.has(keyText(was)) && graves.of(was) !== undefined) lost.set(keyText(was), was.incarnation)
      for (const instance of instances) {
        const key = keyText(instance)
        const { incarnation } = instance
        if (isOver(instance, TOLD_MS))
          world.violated(invariant, `${key}#${incarnation} was deregistered, and is listed again`)
        if (incarnation < (newest.get(key) ?? 0))
          world.violated(invariant, `${key} is listed as #${incarnation} after #${newest.get(key) ?? 0}`)
        newest.set(key, incarnation)
      }
    },
    looked() {
      if (world.node === 0) graves.looked()
      const together = isTogether(world)
      for (const { name, view } of world.book.all()) {
        if (name.group !== undefined || world.registry.process.paused || world.registry.shown === undefined)
          continue
        if (view?.stale === true) continue
        const ghost = view?.instances.find(
          (each) =>
            isOver(each, TOLD_MS) ||
            (together && (graves.of(each)?.at ?? Infinity) + TOLD_MS < world.queue.now),
        )
        if (ghost !== undefined)
          world.violated(invariant, `${keyText(ghost)}#${ghost.incarnation} was deregistered, and is listed`)
      }
      if (world.node === 0 && together) askConsumers(world, graves, invariant)
    },
  }
  return invariant
}

/** No undisturbed consumer has anything left to choose that was deregistered. */
function askConsumers(world: Scene, graves: Graves, invariant: Invariant): void {
  const { consumers, queue } = world
  for (const consumer of consumers) {
    if (consumer.client === undefined || !consumer.owed(queue.now)) continue
    for (const { service, source } of consumer.lists.values()) {
      const ghost = service.candidates().find((each) => {
        const grave = graves.of(each)
        return grave !== undefined && source === 'registry' && queue.now > grave.at + 2 * TOLD_MS
      })
      if (ghost === undefined) continue
      world.violated(
        invariant,
        `${consumer.name} may choose ${keyText(ghost)}#${ghost.incarnation}, which was deregistered`,
      )
    }
  }
}
