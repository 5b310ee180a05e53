/** Invariant I17: what is down leaves the list. */
import { LIVENESS_DEFAULTS } from '@rollcall/core'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'

/** To notice that it is over, and that a guard lets go. */
const LATE_MS = 2_000

/** I17: an instance that was down for the removal time is not listed, unless the guard of its service keeps others. */
export function createExpiry(world: Scene): Invariant {
  const removalMs = world.scenario.liveness.removalMs ?? LIVENESS_DEFAULTS.removalMs
  const trippedAt = new Map<string, number>()
  const invariant: Invariant = {
    name: 'I17 expiry',
    looked() {
      const { shown, process } = world.registry
      if (shown === undefined || process.paused) return
      const { now } = world.queue
      for (const { key } of world.endpoints) {
        const listed = shown.instance(key)
        if (listed?.state !== 'down' || listed.stateAgeMs < removalMs) continue
        if (shown.view(key)?.guard.tripped === true) trippedAt.set(key.service, now)
        // The clock by which a node judges stands still while it does.
        const stoodMs = process.pausedMs(now - listed.stateAgeMs)
        const due = Math.max(
          now - listed.stateAgeMs + removalMs + stoodMs,
          trippedAt.get(key.service) ?? -Infinity,
        )
        if (now > due + LATE_MS)
          world.violated(
            invariant,
            `${keyText(key)} has been down for ${listed.stateAgeMs} ms, and is listed`,
          )
      }
    },
  }
  return invariant
}
