/** Invariant I3: a deregistration is final. */
import { LIVENESS_DEFAULTS } from '@rollcall/core'
import type { Instance, ResolvedRef } from '@rollcall/wire'
import { keyText } from '../world/endpoint.js'
import type { Executed } from '../world/witness.js'
import type { Invariant } from './invariant.js'
import { isCalm, type Scene } from '../world/scene.js'

/** Within this everybody who is undisturbed was told. */
const TOLD_MS = 1_000

interface Grave {
  readonly incarnation: number
  readonly at: number
  /** It survives the node. */
  readonly durable: boolean
}

/**
 * I3: an incarnation whose deregistration was acknowledged never returns to the registry's views (as long as it is
 * retained, and over a crash if the acknowledgement said `disk`), nor to a list that has lost it; and an undisturbed
 * consumer has nothing left of it that it might choose. No view goes back to an older incarnation while the node lives.
 */
/** What was deregistered in one cluster. */
class Graves {
  readonly scene: Scene
  private readonly retentionMs: number
  private readonly graves = new Map<string, Grave>()

  constructor(scene: Scene) {
    this.scene = scene
    this.retentionMs = scene.scenario.liveness.retentionMs ?? LIVENESS_DEFAULTS.retentionMs
  }

  executed({ kind, answer, durability }: Executed): void {
    if (kind !== 'deregister' && kind !== 'deregisterHost') return
    for (const ref of [...answer.removed, ...answer.unknown]) this.dig(ref, durability !== 'memory')
  }

  private dig(ref: ResolvedRef, durable: boolean): void {
    const { incarnation } = ref
    const known = this.graves.get(keyText(ref))
    if (incarnation === undefined || (known !== undefined && known.incarnation > incarnation)) return
    this.graves.set(keyText(ref), { incarnation, at: this.scene.queue.now, durable })
  }

  /** The node is gone, and with it what was only in memory. */
  forget(): void {
    for (const [key, grave] of this.graves) if (!grave.durable) this.graves.delete(key)
  }

  /** Whether an instance was deregistered, and so for a while. */
  holds(instance: Instance, ms = 0): boolean {
    const grave = this.graves.get(keyText(instance))
    if (grave === undefined || instance.incarnation > grave.incarnation) return false
    const { now } = this.scene.queue
    return now >= grave.at + ms && now < grave.at + this.retentionMs
  }
}

export function createFinality(scenes: readonly Scene[]): readonly Invariant[] {
  const graves = scenes.map((scene) => new Graves(scene))
  return graves.map((own) => createOf(own, graves))
}

/** What holds in one cluster; of lists, only where all clusters agree that an instance is gone. */
function createOf(own: Graves, all: readonly Graves[]): Invariant {
  const world = own.scene
  const newest = new Map<string, number>()
  const seen = new WeakMap<object, Map<string, number>>()
  const gone = (instance: Instance, ms = 0): boolean => all.every((graves) => graves.holds(instance, ms))

  const invariant: Invariant = {
    name: 'I3 finality',
    executed: (done) => own.executed(done),
    ended() {
      own.forget()
      newest.clear()
    },
    journalled(entries) {
      for (const entry of entries) if (entry.kind === 'forget') newest.delete(keyText(entry.key))
    },
    viewed(view, { instances }) {
      if (view.group !== undefined) return
      for (const instance of instances) {
        const key = keyText(instance)
        const { incarnation } = instance
        if (own.holds(instance))
          world.violated(invariant, `${key}#${incarnation} was deregistered, and is listed again`)
        if (incarnation < (newest.get(key) ?? 0)) {
          world.violated(invariant, `${key} is listed as #${incarnation} after #${newest.get(key) ?? 0}`)
        }
        newest.set(key, incarnation)
      }
    },
    looked() {
      const { consumers, queue } = world
      if (!all.every(({ scene }) => isCalm(scene))) return
      for (const consumer of consumers) {
        if (!consumer.owed(queue.now)) continue
        for (const { service, source } of consumer.lists.values()) {
          const ghost =
            source === 'registry'
              ? service.candidates().find((instance) => gone(instance, TOLD_MS))
              : undefined
          if (ghost === undefined) continue
          const { incarnation } = ghost
          world.violated(
            invariant,
            `${consumer.name} may choose ${keyText(ghost)}#${incarnation}, which was deregistered`,
          )
        }
      }
    },
    listed(program, view, { instances, removes, source }) {
      const { client } = program
      if (client === undefined || source !== 'registry' || view.group !== undefined) return
      const lost = seen.get(client) ?? new Map<string, number>()
      seen.set(client, lost)
      for (const instance of instances) {
        const key = keyText(instance)
        // A deregistration that was lost with its node, as its answer had said it might be, may be seen undone.
        if (!gone(instance)) lost.delete(key)
        else if (instance.incarnation <= (lost.get(key) ?? -1)) {
          world.violated(invariant, `${key}#${instance.incarnation} came back to ${program.name}`)
        }
      }
      for (const { instance, reason } of removes) {
        if (reason === 'deregistered') lost.set(keyText(instance), instance.incarnation)
      }
    },
  }
  return invariant
}
