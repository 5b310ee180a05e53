import { LIVENESS_DEFAULTS } from '@rollcall/core'
import type { Instance } from '@rollcall/wire'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { World } from '../world/world.js'

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
export function createFinality(world: World): Invariant {
  const name = 'I3 finality'
  const retentionMs = world.scenario.liveness.retentionMs ?? LIVENESS_DEFAULTS.retentionMs
  const graves = new Map<string, Grave>()
  const newest = new Map<string, number>()
  const seen = new WeakMap<object, Map<string, number>>()

  function buried(instance: Instance): boolean {
    return buriedFor(instance, 0)
  }

  function buriedFor(instance: Instance, ms: number): boolean {
    const grave = graves.get(keyText(instance))
    if (grave === undefined || instance.incarnation > grave.incarnation) return false
    return world.queue.now >= grave.at + ms && world.queue.now < grave.at + retentionMs
  }

  const invariant: Invariant = {
    name,
    deregistered({ removed, unknown, durability }) {
      for (const ref of [...removed, ...unknown]) {
        if (ref.incarnation === undefined) continue
        const key = keyText(ref)
        const known = graves.get(key)
        if (known !== undefined && known.incarnation > ref.incarnation) continue
        graves.set(key, {
          incarnation: ref.incarnation,
          at: world.queue.now,
          durable: durability !== 'memory',
        })
      }
    },
    ended() {
      for (const [key, grave] of graves) if (!grave.durable) graves.delete(key)
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
        if (buried(instance))
          world.violated(invariant, `${key}#${incarnation} was deregistered, and is listed again`)
        if (incarnation < (newest.get(key) ?? 0)) {
          world.violated(invariant, `${key} is listed as #${incarnation} after #${newest.get(key) ?? 0}`)
        }
        newest.set(key, incarnation)
      }
    },
    looked() {
      const { registry, consumers, queue } = world
      if (!registry.process.alive || registry.process.paused || queue.now < registry.trouble.calmFrom) return
      for (const consumer of consumers) {
        if (!consumer.owed(queue.now)) continue
        for (const { service, source } of consumer.lists.values()) {
          const ghost =
            source === 'registry'
              ? service.candidates().find((instance) => buriedFor(instance, TOLD_MS))
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
        if (!buried(instance)) lost.delete(key)
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
