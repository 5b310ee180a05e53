import type { Instance } from '@rollcall/wire'
import { type Endpoint, keyText, type Obituary } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { SdkProgram } from '../programs/sdk-program.js'
import type { World } from '../world/world.js'
import { watches } from './living.js'

/** From the moment a node writes a verdict until every consumer chooses by it: windows, delays and how often we look. */
const TELLING_MS = 600

/** A session whose end is seen: 500 ms of grace. */
const CLOSED_MS = 500

/** A session that falls silent: two pings, a probe, and a ping's distance. */
const SILENT_SESSION_MS = 10_000

/** So many that fall silent together are doubted by the node that hears them: at least two leases longer. */
const MASS_MIN = 5
const MASS_DOUBT_MS = 2 * 30_000

/** A probe that fails, and its repetition. */
const PROBE_MS = 1_500

/**
 * I2: what is dead is not chosen, while somebody lives who could be, later than
 * - 0.5 s after the end of a session was seen;
 * - 10 s after a session fell silent (host away, process hanging, connection forgotten on the way);
 * - half a lease and a probe after the last beat, where the port refuses or is silent, or no probe is made;
 * - a lease after the last beat, where the port still accepts;
 * - two leases and a probe after the start of a node that never heard it (where its port accepts: not within 10 min);
 * each plus the time that the node itself stood still and 0.6 s to tell, and 60 s for silence in which five or more
 * fell at once. Not promised for `static`, and for a probed endpoint whose port still accepts.
 */
export function createDead(world: World): Invariant {
  const name = 'I2 dead'
  /** When the present node last heard an incarnation: late packets count. */
  const heard = new Map<string, number>()
  /** Incarnations that were named: a beat without a name is not theirs. */
  const named = new Set<string>()
  let bootedAt = 0
  /** When many were silent last. */
  let massAt = -Infinity

  /** Whether nothing is heard of it. */
  function isSilent(endpoint: Endpoint): boolean {
    if (endpoint.vouch === 'static' || endpoint.process.life === 0) return false
    return !endpoint.process.alive || endpoint.process.paused || endpoint.trouble.calmFrom === Infinity
  }

  /** Whether the node had its chance to connect once, so that refusals count. */
  function hasBaseline({ host }: Obituary): boolean {
    return world.network.changedAt(world.registry.process.host, host) <= bootedAt
  }

  /** From when on it must not be chosen, or Infinity. */
  function deadline(dead: Obituary): number {
    const { endpoint, host, port, at } = dead
    const { vouch, leaseMs, probed } = endpoint
    if (vouch === 'static') return Infinity
    const changedAt = world.network.changedAt(world.registry.process.host, host, port)
    const state = world.network.port(world.registry.process.host, host, port)
    const heardAt = heard.get(nameOf(endpoint.key, dead.incarnation))
    const since = Math.max(at, changedAt, heardAt ?? 0)
    if (heardAt === undefined) {
      const unheard = Math.max(bootedAt + leaseMs, since) + leaseMs + PROBE_MS
      return state === 'accepts' && probed ? Infinity : unheard
    }
    if (vouch === 'probe') return state === 'accepts' ? Infinity : since + leaseMs + PROBE_MS
    if (vouch === 'beats') return since + (state === 'accepts' && probed ? leaseMs : leaseMs / 2 + PROBE_MS)
    const seen = !dead.hung && endpoint.trouble.calmFrom <= at && changedAt <= at && state !== 'silent'
    return since + (seen ? CLOSED_MS : SILENT_SESSION_MS)
  }

  function chooses(consumer: SdkProgram, dead: Obituary, now: number): boolean {
    const { endpoint } = dead
    // Deregistered meanwhile, it may come back under the number it never used.
    if (endpoint.alive && endpoint.incarnation === dead.incarnation) return false
    for (const watched of consumer.lists.values()) {
      if (!watches(watched, endpoint) || !watched.service.candidates().some((item) => isDead(item, dead)))
        continue
      const other = world.endpoints.some((each) => each.owed(now) && watches(watched, each))
      if (other && watched.source === 'registry') return true
    }
    return false
  }

  const invariant: Invariant = {
    name,
    booted() {
      heard.clear()
      bootedAt = world.queue.now
    },
    registered(commands, results) {
      results.forEach((result, index) => {
        const command = commands[index]
        if (!result.ok || command === undefined) return
        const heardName = nameOf(command, result.incarnation)
        heard.set(heardName, world.queue.now)
        if (command.incarnation !== undefined) named.add(heardName)
      })
    },
    beaten(refs, response) {
      const refused = new Set([...response.unknown, ...response.deregistered, ...response.superseded])
      for (const ref of refs) {
        if (refused.has(ref)) continue
        const heardName = nameOf(ref, ref.incarnation ?? world.registry.driver?.instance(ref)?.incarnation)
        if (ref.incarnation !== undefined || !named.has(heardName)) heard.set(heardName, world.queue.now)
      }
    },
    looked() {
      const { registry, network, obituaries, consumers, queue } = world
      const { now } = queue
      if (world.endpoints.filter(isSilent).length >= MASS_MIN) massAt = now
      if (!registry.process.alive || registry.process.paused || now < registry.trouble.calmFrom) return
      if (network.lossRate > 0) return
      for (const dead of obituaries) {
        const { endpoint } = dead
        const port = network.port(registry.process.host, dead.host, dead.port)
        const refused = endpoint.probed && port === 'refuses' && hasBaseline(dead)
        // The clock by which a node judges stands still while it does.
        const judged = deadline(dead) + registry.process.pausedMs(dead.at)
        const due = Math.max(judged, refused ? 0 : massAt + MASS_DOUBT_MS) + TELLING_MS
        if (now <= due) continue
        for (const consumer of consumers) {
          if (!consumer.owed(now) || !chooses(consumer, dead, now)) continue
          world.violated(
            invariant,
            `${consumer.name} may choose ${keyText(endpoint.key)}#${dead.incarnation ?? '?'}, dead since ${seconds(dead.at)} ` +
              `(${endpoint.vouch}, its port ${port}), which was to end by ${seconds(due)}`,
          )
        }
      }
    },
  }
  return invariant
}

function isDead(item: Instance, dead: Obituary): boolean {
  const { key } = dead.endpoint
  return (
    item.id === key.id &&
    item.group === key.group &&
    item.incarnation === dead.incarnation &&
    item.port === dead.port &&
    item.host === dead.host
  )
}

function nameOf(key: Obituary['endpoint']['key'], incarnation: number | undefined): string {
  return `${keyText(key)}#${incarnation ?? '?'}`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`
}
