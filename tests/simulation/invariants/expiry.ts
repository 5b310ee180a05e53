/** Invariant I17: what is down leaves the list. */
import { type InstanceKey, LIVENESS_DEFAULTS, type StoredRecord } from '@rollcall/core'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import { isJoined, isTogether, type Scene, unrestAt } from '../world/scene.js'

/** To notice that it is over, and that a guard lets go. */
const LATE_MS = 2_000

/** By then what a dead node judged is judged by another one: its lease, the wait, and two ranks of it. */
const ADOPTED_MS = 15_000

/** By so much the clock of a node may be fast. */
const DRIFT = 0.0005

/**
 * I17: an instance that was down for the removal time of its service is not listed, unless the guard of its service
 * keeps others or an operator froze the namespace; and it does not leave before.
 */
export function createExpiry(world: Scene): Invariant {
  /** Until when something held those of a service that were due. */
  const heldAt = new Map<string, number>()
  const removals = new Map<string, number>()
  const downAt = new Map<string, number>()

  function removalMsOf({ service }: Pick<InstanceKey, 'service'>): number {
    const declared = world.registry.shown?.serviceSettings('default', service)?.removalMs
    return declared ?? world.scenario.liveness.removalMs ?? LIVENESS_DEFAULTS.removalMs
  }

  /** Of what another node wrote the time here is not when it did. */
  function isOwn({ verdict }: StoredRecord): boolean {
    return !isJoined(world) || verdict.node === world.registry.nodeId
  }

  const invariant: Invariant = {
    name: 'I17 expiry',
    journalled(entries) {
      const { now } = world.queue
      for (const entry of entries) {
        if (entry.kind !== 'record') continue
        const key = keyText(entry.record)
        const { value } = entry.record.verdict
        const since = downAt.get(key)
        if (
          value === 'expired' &&
          isOwn(entry.record) &&
          since !== undefined &&
          now < since + removalMsOf(entry.record) * (1 - DRIFT)
        )
          world.violated(invariant, `${key} expires ${now - since} ms after it went down`)
        if (value !== 'down' || !isOwn(entry.record)) downAt.delete(key)
        else if (since === undefined) downAt.set(key, now)
      }
    },
    looked() {
      const { shown, process } = world.registry
      if (shown === undefined || process.paused) return
      if (isJoined(world) && !isTogether(world)) return
      const { now } = world.queue
      const frozen = shown.freezes().length > 0
      for (const { key } of world.endpoints) {
        const { service } = key
        const removalMs = removalMsOf(key)
        const listed = shown.instance(key)
        if (frozen || removals.get(service) !== removalMs) heldAt.set(service, now)
        removals.set(service, removalMs)
        if (listed?.state !== 'down' || listed.stateAgeMs < removalMs) continue
        // What the guard of its judge holds back, only that one knows.
        if (world.nodes.some(({ registry }) => registry.shown?.view(key)?.guard.tripped === true))
          heldAt.set(service, now)
        // The clock by which a node judges stands still while it does.
        const stoodMs = process.pausedMs(now - listed.stateAgeMs)
        const due = Math.max(now - listed.stateAgeMs + removalMs + stoodMs, heldAt.get(service) ?? -Infinity)
        // Another judge counts from when it took over.
        const tookOver = isJoined(world) ? unrestAt(world) + ADOPTED_MS + removalMs : 0
        if (now > Math.max(due, tookOver) + LATE_MS)
          world.violated(
            invariant,
            `${keyText(key)} has been down for ${listed.stateAgeMs} ms, and is listed`,
          )
      }
    },
  }
  return invariant
}
