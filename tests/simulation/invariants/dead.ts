/** Invariant I2: the dead stop being called. */
import type { Instance } from '@rollcall/wire'
import { type Endpoint, keyText, type Obituary } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { SdkProgram, SeenList } from '../programs/sdk-program.js'
import { isCalm, type Scene } from '../world/scene.js'
import { watches } from './living.js'
import { isSilent } from './silence.js'
import type { PortState } from '../world/network.js'
import type { Executed, Witness } from '../world/witness.js'

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
 * I2: what is dead is not chosen, while a living one could be, later than
 * - 0.5 s after the end of a session was seen;
 * - 10 s after a session fell silent (host away, process hanging, connection forgotten on the way);
 * - half a lease and a probe after the last beat, where the port refuses or is silent, or no probe is made;
 * - a lease after the last beat, where the port still accepts;
 * - two leases and a probe after the start of a node that never heard it (where its port accepts: not within 10 min);
 * each plus the time that the node itself stood still and 0.6 s to tell, and 60 s for silence in which five or more
 * fell at once. Not promised for `static`, and for a probed endpoint whose port still accepts.
 */
export function createDead(scenes: readonly Scene[]): readonly Invariant[] {
  const clusters = scenes.map((scene) => new Deadlines(scene))
  return clusters.map((own) => createOf(own, clusters))
}

/** When the node of one cluster has to have found out, and how its consumers must choose then. */
class Deadlines {
  readonly scene: Scene
  /** When the present node last heard an incarnation: late packets count. */
  private readonly heard = new Map<string, number>()
  /** Incarnations that were named: a beat without a name is not theirs. */
  private readonly named = new Set<string>()
  private bootedAt = 0
  /** When an operator brought back an incarnation: it was not heard since. */
  private readonly restored = new Map<string, number>()
  /** When many were silent last. */
  private massAt = -Infinity

  constructor(scene: Scene) {
    this.scene = scene
  }

  booted(): void {
    this.heard.clear()
    this.bootedAt = this.scene.queue.now
  }

  executed(done: Executed): void {
    if (done.kind === 'restore') {
      for (const result of done.answer.results)
        if (result.ok) this.restore(nameOf(result, result.incarnation))
    }
    if (done.kind !== 'register') return
    done.answer.forEach((result, index) => {
      const command = done.command.items[index]
      if (!result.ok || command === undefined) return
      const name = nameOf(command, result.incarnation)
      this.heard.set(name, this.scene.queue.now)
      if (command.incarnation !== undefined) this.named.add(name)
    })
  }

  private restore(name: string): void {
    this.heard.delete(name)
    this.restored.set(name, this.scene.queue.now)
  }

  beaten(refs: Parameters<Witness['beaten']>[0], response: Parameters<Witness['beaten']>[1]): void {
    const { registry, queue } = this.scene
    const refused = new Set([...response.unknown, ...response.deregistered, ...response.superseded])
    for (const ref of refs) {
      if (refused.has(ref)) continue
      const name = nameOf(ref, ref.incarnation ?? registry.shown?.instance(ref)?.incarnation)
      if (ref.incarnation !== undefined || !this.named.has(name)) this.heard.set(name, queue.now)
    }
  }

  looked(): void {
    const { endpoints, queue } = this.scene
    if (endpoints.filter(isSilent).length >= MASS_MIN) this.massAt = queue.now
  }

  /** When nothing may choose it any more. */
  due(dead: Obituary): number {
    const { endpoint, at } = dead
    const { registry } = this.scene
    const refused = endpoint.probed && this.port(dead) === 'refuses' && this.hasBaseline(dead)
    // The clock by which a node judges stands still while it does.
    const judged = this.judgedBy(dead) + registry.process.pausedMs(at)
    return Math.max(judged, refused ? 0 : this.massAt + MASS_DOUBT_MS) + TELLING_MS
  }

  /** What the node meets at its port. */
  port({ host, port }: Obituary): PortState {
    const { network, registry } = this.scene
    return network.port(registry.process.host, host, port)
  }

  /** Whether the node had its chance to connect once, so that refusals count. */
  private hasBaseline({ host }: Obituary): boolean {
    const { network, registry } = this.scene
    return network.changedAt(registry.process.host, host) <= this.bootedAt
  }

  /** From when on its node has to have judged it, or Infinity. */
  private judgedBy(dead: Obituary): number {
    const { endpoint, host, port, at } = dead
    const { vouch, leaseMs, probed } = endpoint
    if (vouch === 'static') return Infinity
    const { network, registry } = this.scene
    const changedAt = network.changedAt(registry.process.host, host, port)
    const state = this.port(dead)
    const name = nameOf(endpoint.key, dead.incarnation)
    const heardAt = this.heard.get(name)
    const since = Math.max(at, changedAt, heardAt ?? 0)
    if (heardAt === undefined) {
      const watchedFrom = Math.max(this.bootedAt, this.restored.get(name) ?? 0)
      const unheard = Math.max(watchedFrom + leaseMs, since) + leaseMs + PROBE_MS
      return state === 'accepts' && probed ? Infinity : unheard
    }
    if (vouch === 'probe') return state === 'accepts' ? Infinity : since + leaseMs + PROBE_MS
    if (vouch === 'beats') return since + (state === 'accepts' && probed ? leaseMs : leaseMs / 2 + PROBE_MS)
    const seen = !dead.hung && endpoint.trouble.calmFrom <= at && changedAt <= at && state !== 'silent'
    return since + (seen ? CLOSED_MS : SILENT_SESSION_MS)
  }
}

/** What holds in one cluster; of several, the last to find out counts, and all of them are undisturbed. */
function createOf(own: Deadlines, all: readonly Deadlines[]): Invariant {
  const world = own.scene

  /**
   * Whether a living process has its number: deregistered meanwhile it may come back under one that it never used, and
   * in one cluster under one that its predecessor had in another.
   */
  function lives({ endpoint, incarnation }: Obituary): boolean {
    const key = keyText(endpoint.key)
    return all.some(({ scene }) =>
      scene.endpoints.some(
        (each) => each.incarnation === incarnation && each.alive && keyText(each.key) === key,
      ),
    )
  }

  function chooses(consumer: SdkProgram, dead: Obituary, now: number): boolean {
    const { endpoint } = dead
    if (lives(dead)) return false
    for (const watched of consumer.lists.values()) {
      const choosing = watched.service.candidates().some((item) => isDead(item, dead))
      if (!choosing || !watches(watched, endpoint)) continue
      const other = world.endpoints.some(
        (each) => each.owed(now) && watches(watched, each) && !isWithheld(watched, each),
      )
      if (other && watched.source === 'registry') return true
    }
    return false
  }

  /** When the last cluster in which the same process was registered has to have found out. */
  function due(dead: Obituary): number {
    const dues = all.map((each) => {
      const same = each.scene.obituaries.find(
        ({ endpoint, at }) => at === dead.at && keyText(endpoint.key) === keyText(dead.endpoint.key),
      )
      return same === undefined ? 0 : each.due(same)
    })
    return Math.max(...dues)
  }

  const invariant: Invariant = {
    name: 'I2 dead',
    booted: () => own.booted(),
    executed: (done) => own.executed(done),
    beaten: (refs, response) => own.beaten(refs, response),
    looked() {
      own.looked()
      const { network, obituaries, consumers, queue } = world
      const { now } = queue
      if (!all.every(({ scene }) => isCalm(scene)) || network.lossRate > 0) return
      for (const dead of obituaries) {
        const until = due(dead)
        if (now <= until) continue
        for (const consumer of consumers) {
          if (!consumer.owed(now) || !chooses(consumer, dead, now)) continue
          const { key, vouch } = dead.endpoint
          world.violated(
            invariant,
            `${consumer.name} may choose ${keyText(key)}#${dead.incarnation ?? '?'}, dead since ${seconds(dead.at)} ` +
              `(${vouch}, its port ${own.port(dead)}), which was to end by ${seconds(until)}`,
          )
        }
      }
    },
  }
  return invariant
}

/** Whether an operator keeps it from being chosen. */
function isWithheld({ list }: SeenList, { key }: Endpoint): boolean {
  const shown = list.find(({ id, group }) => id === key.id && group === key.group)
  return shown?.state === 'draining' || shown?.state === 'disabled'
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
