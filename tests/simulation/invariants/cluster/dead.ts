/** Invariant I2 over several nodes: the dead stop being called, whichever node judges them. */
import type { Instance } from '@rollcall/wire'
import type { SdkProgram, SeenList } from '../../programs/sdk-program.js'
import { type Endpoint, keyText, type Obituary } from '../../world/endpoint.js'
import type { PortState } from '../../world/network.js'
import { isCalm, isTogether, type Scene, serves, unrestAt } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'
import { watches } from '../living.js'
import { isSilent } from '../silence.js'

/** A verdict reaches the engine, the other nodes and their consumers. */
const TELLING_MS = 1_500

/** A session whose end is seen: 500 ms of grace. */
const CLOSED_MS = 500

/** A session that falls silent: two pings, a probe, and a ping's distance. */
const SILENT_SESSION_MS = 10_000

/** A node that is gone: its key outlives it by so much. */
const NODE_LEASE_MS = 10_000

/** So many that fall silent together are doubted by the nodes that hear them: at least two leases longer. */
const MASS_MIN = 5
const MASS_DOUBT_MS = 2 * 30_000

const PROBE_MS = 1_500

/** What is known of the dead of a cluster. */
class Dead {
  private readonly nodes: readonly Scene[]
  private readonly world: Scene
  private readonly heard = new Map<string, number>()
  /** When an operator brought back an incarnation: it was not heard since. */
  private readonly restored = new Map<string, number>()
  /** When many were silent last. */
  private massAt = -Infinity

  constructor(nodes: readonly Scene[]) {
    this.nodes = nodes
    this.world = nodes[0]!
  }

  port({ host, port: at }: Obituary): readonly PortState[] {
    return this.nodes.map(({ registry, network }) => network.port(registry.process.host, host, at))
  }

  /** When nothing may choose it any more. */
  due(dead: Obituary): number {
    const { endpoint, at, host, port: own } = dead
    const { vouch, leaseMs, probed } = endpoint
    if (vouch === 'static') return Infinity
    const states = this.port(dead)
    const accepts = states.includes('accepts')
    const changedAt = Math.max(
      ...this.nodes.map(({ registry, network }) => network.changedAt(registry.process.host, host, own)),
    )
    const troubledAt = unrestAt(this.world)
    const doubtedUntil = accepts || states.includes('silent') || !probed ? this.massAt + MASS_DOUBT_MS : 0
    if (troubledAt > at - leaseMs) {
      // No node may have heard it that judges it now.
      if (accepts && probed) return Infinity
      const orphaned = Math.max(at, changedAt, troubledAt) + NODE_LEASE_MS + 2 * leaseMs + PROBE_MS
      return Math.max(orphaned, this.massAt + MASS_DOUBT_MS) + TELLING_MS
    }
    const restoredAt = this.restored.get(nameOf(dead))
    if (restoredAt !== undefined)
      return accepts && probed ? Infinity : restoredAt + 2 * leaseMs + PROBE_MS + TELLING_MS
    const since = Math.max(at, changedAt, this.heard.get(nameOf(dead)) ?? 0)
    const judged = (): number => {
      if (vouch === 'probe') return accepts ? Infinity : since + leaseMs + PROBE_MS
      if (vouch === 'beats') return since + (accepts && probed ? leaseMs : leaseMs / 2 + PROBE_MS)
      const seen =
        !dead.hung && endpoint.trouble.calmFrom <= at && changedAt <= at && !states.includes('silent')
      return since + (seen ? CLOSED_MS : SILENT_SESSION_MS)
    }
    return Math.max(judged(), doubtedUntil) + TELLING_MS
  }

  private lives({ endpoint, incarnation }: Obituary): boolean {
    return this.world.endpoints.some(
      (each) => each.incarnation === incarnation && each.alive && keyText(each.key) === keyText(endpoint.key),
    )
  }

  private chooses(consumer: SdkProgram, dead: Obituary, now: number): boolean {
    if (this.lives(dead)) return false
    for (const watched of consumer.lists.values()) {
      if (!watches(watched, dead.endpoint) || watched.source !== 'registry') continue
      if (!watched.service.candidates().some((item) => isDead(item, dead))) continue
      const other = this.world.endpoints.some(
        (each) => each.owed(now) && watches(watched, each) && !isWithheld(watched, each),
      )
      if (other) return true
    }
    return false
  }

  /** Whether a consumer may choose it, and has its lists from an undisturbed node. */
  isChosen(consumer: SdkProgram, dead: Obituary): boolean {
    const { now } = this.world.queue
    const seated = this.nodes.some((node) => isCalm(node) && serves(node, consumer, TELLING_MS))
    return seated && consumer.owed(now) && this.chooses(consumer, dead, now)
  }

  looked(): void {
    const { endpoints, queue } = this.world
    if (endpoints.filter(isSilent).length >= MASS_MIN) this.massAt = queue.now
  }

  /** Late packets count, whichever node they come to. */
  hearing(key: Obituary['endpoint']['key'], incarnation: number | undefined): void {
    const name = `${keyText(key)}#${incarnation ?? '?'}`
    this.restored.delete(name)
    this.heard.set(name, this.world.queue.now)
  }

  restoring(key: Obituary['endpoint']['key'], incarnation: number): void {
    this.restored.set(`${keyText(key)}#${incarnation}`, this.world.queue.now)
  }

  listed(key: Obituary['endpoint']['key']): number | undefined {
    return this.nodes
      .map(({ registry }) => registry.shown?.instance(key)?.incarnation)
      .find((each) => each !== undefined)
  }
}

/**
 * I2: while the cluster is together what is dead is not chosen, while a living one could be, later than with one node
 * (`../dead.ts`) and 0.9 s to spread. What died with its node, or while anything disturbed the cluster: two leases, a probe and the
 * key of the node after the last of that, where its port does not accept.
 */
export function createClusterDead(nodes: readonly Scene[]): Invariant {
  const world: Scene = nodes[0]!
  const all = new Dead(nodes)
  const invariant: Invariant = {
    name: 'I2 dead',
    looked() {
      const { network, obituaries, consumers, queue } = world
      all.looked()
      if (!isTogether(world) || network.lossRate > 0) return
      for (const dead of obituaries) {
        const until = all.due(dead)
        const consumer = queue.now <= until ? undefined : consumers.find((each) => all.isChosen(each, dead))
        if (consumer === undefined) continue
        const { key, vouch } = dead.endpoint
        world.violated(
          invariant,
          `${consumer.name} may choose ${keyText(key)}#${dead.incarnation ?? '?'}, dead since ${seconds(dead.at)} ` +
            `(${vouch}, its port ${all.port(dead).join(' ')}), which was to end by ${seconds(until)}`,
        )
      }
    },
    executed(done) {
      if (done.kind === 'restore')
        for (const result of done.answer.results) if (result.ok) all.restoring(result, result.incarnation)
      if (done.kind !== 'register') return
      done.answer.forEach((result, index) => {
        const command = done.command.items[index]
        if (result.ok && command !== undefined) all.hearing(command, result.incarnation)
      })
    },
    beaten(refs, response) {
      const refused = new Set([...response.unknown, ...response.deregistered, ...response.superseded])
      for (const ref of refs) if (!refused.has(ref)) all.hearing(ref, ref.incarnation ?? all.listed(ref))
    },
  }
  return invariant
}

/** Whether an operator keeps it from being chosen. */
function isWithheld({ list }: SeenList, { key }: Endpoint): boolean {
  const shown = list.find(({ id, group }) => id === key.id && group === key.group)
  return shown?.state === 'draining' || shown?.state === 'disabled'
}

function isDead(item: Instance, { endpoint: { key }, incarnation, host, port }: Obituary): boolean {
  return (
    item.id === key.id &&
    item.group === key.group &&
    item.incarnation === incarnation &&
    item.port === port &&
    item.host === host
  )
}

function nameOf({ endpoint, incarnation }: Obituary): string {
  return `${keyText(endpoint.key)}#${incarnation ?? '?'}`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`
}
