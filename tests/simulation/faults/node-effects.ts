/** What faults do to nodes, to the engine that joins them and to what lies between them. */
import type { Happening } from './fault.js'
import { ANY } from '../world/network.js'
import type { SimRegistry } from '../world/registry.js'
import type { Trouble } from '../world/trouble.js'
import type { World } from '../world/world.js'
import type { Effects } from './fault-effects.js'

/** A registry that was away needs this long until everybody is back: attempts to connect are up to 5 s apart. */
const REGISTRY_RECOVERY_MS = 25_000

/** An orderly stop moves everybody away first. */
const STOPPING_MS = 1_000

/**
 * Nodes that were kept from the engine or from each other agree after this: attempts to join and to link are up to 5 s apart, and
 * the key of a node outlives it by 6 s.
 */
export const JOINING_MS = 20_000

/** A node that heard nothing hears again, and the doubts that it had are refuted. */
export const HEARING_MS = 15_000

/** Begins something for each of these troubles; the returned function ends it. */
export function beginAll(world: World, troubles: readonly Trouble[]): (recoveryMs: number) => void {
  const calms = troubles.map((trouble) => trouble.begin(world.queue))
  return (recoveryMs) => {
    for (const calm of calms) calm(recoveryMs)
  }
}

/** The nodes of the cluster of a node. */
export function cluster(world: World, { cluster: number }: SimRegistry): readonly SimRegistry[] {
  return world.clusters[number] ?? []
}

/** The node on a host, if there is one. */
export function nodeOn(world: World, host: string): SimRegistry | undefined {
  return world.clusters.flat().find(({ process }) => process.host === host)
}

/** Nothing that is not on it reaches a node: neither hosts, nor peers, nor the engine. The returned function ends that. */
export function beginApart(world: World, registry: SimRegistry): () => void {
  const { engine } = world.sides[registry.cluster]!
  const joined = beginAll(world, [
    registry.apart,
    ...cluster(world, registry).map(({ unlinked }) => unlinked),
  ])
  const deaf = registry.deaf.begin(world.queue)
  const heal = engine?.cut(registry)
  return () => {
    heal?.()
    joined(JOINING_MS)
    deaf(HEARING_MS)
  }
}

/** A node runs without having joined: it hears none of its peers, nor they it. The returned function ends that. */
export function beginUnjoined(world: World, registry: SimRegistry): () => void {
  const joined = beginAll(world, [
    registry.apart,
    ...cluster(world, registry).map(({ unlinked }) => unlinked),
  ])
  const deaf = registry.deaf.begin(world.queue)
  return () => {
    joined(JOINING_MS)
    deaf(HEARING_MS)
  }
}

type NodeKind =
  | Extract<Happening['kind'], `engine${string}`>
  | 'stall'
  | 'crash'
  | 'stop'
  | 'replace'
  | 'peerCut'
  | 'rack'

export const NODE_EFFECTS: Pick<Effects, NodeKind> = {
  stall(world, { ms }, { process, trouble }) {
    if (!process.alive || process.paused) return
    const calm = trouble.begin(world.queue)
    process.pause()
    world.lasting(ms, () => {
      world.note(process.name, () => 'runs again')
      process.resume()
      calm(REGISTRY_RECOVERY_MS)
    })
  },

  crash(world, { downMs }, registry) {
    if (registry.process.alive) registry.crash()
    bootLater(world, registry, downMs)
  },

  stop(world, { downMs }, registry) {
    if (!registry.process.alive || registry.process.paused) return
    registry.trouble.grant(world.queue.now + STOPPING_MS)
    registry.stop(() => bootLater(world, registry, downMs))
  },

  replace(world, { downMs }, registry) {
    registry.journal.erase()
    if (registry.process.alive) registry.crash()
    registry.renamed++
    bootLater(world, registry, downMs)
  },

  engineCut(world, { ms }, registry) {
    const { engine } = world.sides[registry.cluster]!
    const heal = engine?.cut(registry)
    const calm = registry.apart.begin(world.queue)
    world.lasting(ms, () => {
      heal?.()
      calm(JOINING_MS)
    })
  },

  engineDown(world, { ms }, registry) {
    const { engine } = world.sides[registry.cluster]!
    const start = engine?.stop()
    const calm = everywhere(world, registry)
    world.lasting(ms, () => {
      start?.()
      calm(JOINING_MS)
    })
  },

  engineSlow(world, { byMs, ms, all }, registry) {
    const { engine } = world.sides[registry.cluster]!
    const slow = all === true ? cluster(world, registry) : [registry]
    const ends = slow.map((each) => engine?.slow(each, byMs))
    const calm = everywhere(world, registry)
    world.lasting(ms, () => {
      for (const end of ends) end?.()
      calm(JOINING_MS)
    })
  },

  engineMute(world, { ms }, registry) {
    const { engine } = world.sides[registry.cluster]!
    const end = engine?.mute(registry)
    const calm = registry.apart.begin(world.queue)
    world.lasting(ms, () => {
      end?.()
      calm(JOINING_MS)
    })
  },

  engineReset(world, _fault, registry) {
    everywhere(world, registry)(JOINING_MS)
    world.sides[registry.cluster]!.engine?.reset(registry)
  },

  engineWipe(world, _fault, registry) {
    everywhere(world, registry)(JOINING_MS)
    world.sides[registry.cluster]!.engine?.wipe()
  },

  engineBackup(world, _fault, registry) {
    world.sides[registry.cluster]!.engine?.backup()
  },

  engineRestore(world, _fault, registry) {
    everywhere(world, registry)(JOINING_MS)
    world.sides[registry.cluster]!.engine?.restore()
  },

  engineCompact(world, _fault, registry) {
    everywhere(world, registry)(JOINING_MS)
    world.sides[registry.cluster]!.engine?.compact()
  },

  engineFull(world, { ms }, registry) {
    const end = world.sides[registry.cluster]!.engine?.fill()
    const calm = everywhere(world, registry)
    world.lasting(ms, () => {
      end?.()
      calm(JOINING_MS)
    })
  },

  peerCut(world, { other, oneWay, ms }, registry) {
    const peer = cluster(world, registry)[other]
    if (peer === undefined || peer === registry) return
    const [here, there] = [registry.process.host, peer.process.host]
    const ends = [world.network.cut(here, there)]
    if (oneWay !== true) ends.push(world.network.cut(there, here))
    const calm = beginAll(world, [
      registry.apart,
      peer.apart,
      ...cluster(world, registry).map(({ unlinked }) => unlinked),
    ])
    // What runs on the machine of a node is cut off with it.
    const beside = [here, there].filter((host) => world.hosts.includes(host))
    const hosts = beginAll(
      world,
      beside.map((host) => world.troubleOf(host)),
    )
    world.lasting(ms, () => {
      for (const end of ends) end()
      calm(JOINING_MS)
      hosts(HOSTS_RECOVERY_MS)
    })
  },

  rack(world, { hosts, ms }, registry) {
    const inside = new Set([registry.process.host, ...hosts])
    const all = [
      ...world.hosts,
      ...world.clusters.flat().map(({ process }) => process.host),
      world.operator.host,
    ]
    const ends = [...inside].flatMap((host) =>
      [...new Set(all)]
        .filter((other) => !inside.has(other))
        .flatMap((other) => [world.network.cut(host, other), world.network.cut(other, host)]),
    )
    const nodes = [...inside].map((host) => nodeOn(world, host)).filter((node) => node !== undefined)
    const apart = nodes.map((node) => beginApart(world, node))
    const calm = beginAll(
      world,
      world.hosts.filter((host) => inside.has(host)).map((host) => world.troubleOf(host)),
    )
    world.lasting(ms, () => {
      for (const end of [...ends, ...apart]) end()
      calm(HOSTS_RECOVERY_MS)
    })
  },
}

/** A way that was cut: retransmissions, the silence watchdog of the client, and a new connection. */
const HOSTS_RECOVERY_MS = 30_000

function everywhere(world: World, registry: SimRegistry): (recoveryMs: number) => void {
  return beginAll(
    world,
    cluster(world, registry).map(({ apart }) => apart),
  )
}

export function bootLater(world: World, registry: SimRegistry, downMs: number): void {
  const calm = registry.trouble.begin(world.queue)
  world.lasting(downMs, () => {
    if (!registry.process.alive) registry.boot()
    calm(REGISTRY_RECOVERY_MS)
  })
}

/** A host is cut off from everything: what of that concerns a node on it. */
export function hostApart(world: World, host: string): () => void {
  const ends = [world.network.cut(host, ANY), world.network.cut(ANY, host)]
  const node = nodeOn(world, host)
  if (node !== undefined) ends.push(beginApart(world, node))
  return () => {
    for (const end of ends) end()
  }
}
