/** Invariant I1: the living are not doubted for the registry’s troubles. */
import type { Instance, View, ViewName } from '@rollcall/wire'
import { type Endpoint, keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import { isJoined, isTogether, type Scene, serves } from '../world/scene.js'
import { listText, type SeenList } from '../programs/sdk-program.js'

/** From the end of a firewall until who is heard all the time was heard again: the distance of beats, and telling. */
const HEARD_MS = 6_000

/** A doubt that has ended is told within this. */
const TELLING_MS = 1_000

/** A consumer that has come from another node has its lists by then. */
const SETTLED_MS = 1_000

/** Reason of the doubt about who came and went too often: it ends when he has behaved for a while. */
const FLAPPING = 'flapping'

/**
 * I1: a living instance is never doubted for the registry's own troubles, and one that is undisturbed and registered
 * long enough is `up` in the list of every undisturbed consumer. *Undisturbed* is said by the world: RECOVERY_MS and
 * its sisters after the last thing that happened to the instance itself. A restart or stall of the registry, a
 * firewall, a jumping clock or a broken disk excuses no doubt at all.
 */
export function createLiving(world: Scene): Invariant {
  const byKey = new Map(
    world.endpoints.filter(({ contested }) => !contested).map((each) => [keyText(each.key), each]),
  )

  /** Whether a firewall speaks for its host, or did a moment ago, that the node could take for its death. */
  function refused({ host, process }: Endpoint): boolean {
    const { network, nodes, queue } = world
    return nodes.some(({ registry }) => {
      // What stood before either of them started, the node has never seen open.
      const since = Math.max(registry.process.startedAt, process.startedAt)
      return network
        .firewallsBetween(registry.process.host, host)
        .some(({ beganAt, endedAt }) => beganAt > since && queue.now <= endedAt + HEARD_MS)
    })
  }

  /** Whether the list has it as it is: up, or in a doubt that its own conduct or a firewall explains. */
  function shows({ name, list }: SeenList, endpoint: Endpoint): boolean {
    const { key, incarnation, named } = endpoint
    // Who names no incarnation is content with whichever its beats keep alive.
    const item = list.find((each) => each.id === key.id && each.group === key.group)
    // Of several clusters the one with the last word counts, and each may know it by another incarnation.
    const sure = named && world.scenario.clusters === 1
    if (item === undefined || (sure && item.incarnation !== incarnation)) return false
    if (item.state === 'up') return true
    // A reason is no part of the sign: one that changes reaches no list, and only the registry knows the present one.
    const present = world.registry.shown?.instance(key)
    if (present?.state === 'up') return world.queue.now <= world.book.current(name).changedAt + TELLING_MS
    // Whether an operator wants that, I19 knows.
    if (present?.state === 'draining' || present?.state === 'disabled') return true
    return present?.reason === FLAPPING || (present?.reason === 'refused' && refused(endpoint))
  }

  /**
   * Whether a node may have missed what others heard: one that was cut off from everything doubts what it judges, and takes nothing
   * down; and while nodes do not hear each other, beats that come to another node than the judge are not known to it.
   */
  function isUnheard({ vouch, probed }: Endpoint, now: number): boolean {
    return world.nodes.some(
      ({ registry }) =>
        now < registry.deaf.calmFrom ||
        (now < registry.unlinked.calmFrom && world.engine?.lostAt(registry) !== undefined) ||
        (vouch === 'beats' && now < registry.unlinked.calmFrom) ||
        // What it had heard and not passed on yet died with a node.
        (vouch === 'beats' && !probed && world.nodes.length > 1 && now < registry.trouble.calmFrom),
    )
  }

  function doubted(
    instance: Instance | undefined,
    was: Instance,
    endpoint: Endpoint,
    now: number,
  ): string | undefined {
    // What an island doubts, it takes down no more than anything else.
    const sinks = isJoined(world) && was.state === 'suspect' && instance?.state === 'down'
    if ((was.state !== 'up' && !sinks) || (endpoint.named && was.incarnation !== endpoint.incarnation))
      return undefined
    // Of its predecessor, whose goodbye was read late.
    if (endpoint.incarnation === undefined) return undefined
    if (instance === undefined) return 'is no longer listed'
    if (instance.state !== 'suspect' && instance.state !== 'down') return undefined
    if (instance.state === 'suspect' && isUnheard(endpoint, now)) return undefined
    // A firewall that answers in the name of a host is believed, up to the bound on refusals, where no session speaks.
    if (instance.reason === 'refused' && refused(endpoint)) return undefined
    return instance.reason === FLAPPING ? undefined : `is ${instance.state} (${instance.reason ?? ''})`
  }

  const invariant: Invariant = {
    name: 'I1 living',
    viewed(view: ViewName, now: View, before: View | undefined) {
      if (view.group !== undefined || before === undefined) return
      const after = new Map(now.instances.map((instance) => [keyText(instance), instance]))
      for (const was of before.instances) {
        const key = keyText(was)
        const endpoint = byKey.get(key)
        if (endpoint === undefined || !endpoint.owed(world.queue.now)) continue
        const doubt = doubted(after.get(key), was, endpoint, world.queue.now)
        if (doubt !== undefined) world.violated(invariant, `${key} lives and is heard, and ${doubt}`)
      }
    },
    looked() {
      const { now } = world.queue
      const { scenario } = world
      // In an order of preference another cluster may answer.
      if (!isTogether(world) || (scenario.clusters > 1 && scenario.merge === 'preferred')) return
      for (const consumer of world.consumers) {
        if (!consumer.owed(now) || !serves(world, consumer, SETTLED_MS)) continue
        for (const watched of consumer.lists.values()) {
          const missing = world.endpoints.find(
            (endpoint) => endpoint.owed(now) && watches(watched, endpoint) && !shows(watched, endpoint),
          )
          if (missing !== undefined) {
            const { incarnation, key } = missing
            world.violated(
              invariant,
              `${keyText(key)}#${incarnation ?? '?'} lives, and ${consumer.name} does not have it up: ${listText(watched.list)}`,
            )
          }
        }
      }
    },
  }
  return invariant
}

/** Whether an endpoint belongs to a watched list. */
export function watches({ name }: Pick<SeenList, 'name'>, { key }: Pick<Endpoint, 'key'>): boolean {
  return name.service === key.service && (name.group === undefined || name.group === key.group)
}
