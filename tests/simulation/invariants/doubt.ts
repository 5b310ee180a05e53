/** Invariant I14: a node doubts its own ears before it suspects many. */
import type { Endpoint } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import { isSilent, isLost } from './silence.js'
import type { Scene } from '../world/scene.js'

/** So many that fall silent at once are a mass; so many fewer may be suspected before the node has noticed that. */
const MASS_MIN = 5

/** At once: within two looks. */
const TOGETHER_MS = 500

/** Two leases of a session. */
const DOUBT_MS = 2 * 9_000

/**
 * I14: of five or more in sessions that fall silent at once, while all others are heard, fewer than five are suspected
 * for their silence before two leases have passed.
 */
export function createDoubt(world: Scene): Invariant {
  /** NaN: it was not heard before, so its silence is no news. */
  const silentSince = new Map<Endpoint, number>()
  const early = new Set<Endpoint>()

  function endpointOf(group: string, id: string, service: string, incarnation: number): Endpoint | undefined {
    return world.endpoints.find(
      ({ key, incarnation: own }) =>
        own === incarnation && key.id === id && key.group === group && key.service === service,
    )
  }

  const invariant: Invariant = {
    name: 'I14 doubt',
    booted() {
      for (const endpoint of world.endpoints) if (isSilent(endpoint)) silentSince.set(endpoint, Number.NaN)
    },
    looked() {
      const { shown } = world.registry
      for (const endpoint of world.endpoints) {
        if (!isSilent(endpoint)) {
          silentSince.delete(endpoint)
          early.delete(endpoint)
        } else if (!silentSince.has(endpoint)) {
          const listed = shown?.instance(endpoint.key)
          const heard = listed?.state === 'up' && listed.incarnation === endpoint.incarnation
          silentSince.set(endpoint, heard ? world.queue.now : Number.NaN)
        }
      }
    },
    viewed(name, view, before) {
      if (name.group !== undefined || before === undefined) return
      for (const { service, group, id, incarnation, state, reason } of view.instances) {
        if (!isLost(state) || reason === 'refused' || reason === 'flapping') continue
        const endpoint = endpointOf(group, id, service, incarnation)
        const since = endpoint === undefined ? undefined : silentSince.get(endpoint)
        if (endpoint === undefined || since === undefined || early.has(endpoint)) continue
        const together = [...silentSince].filter(
          ([each, at]) => each.vouch === 'session' && Math.abs(at - since) <= TOGETHER_MS,
        )
        if (together.length < MASS_MIN || together.length < silentSince.size) continue
        if (world.queue.now >= since + DOUBT_MS) continue
        early.add(endpoint)
        const suspected = together.filter(([each]) => early.has(each)).length
        if (suspected >= MASS_MIN)
          world.violated(
            invariant,
            `${suspected} of ${together.length} that fell silent at once are suspected already`,
          )
      }
    },
  }
  return invariant
}
