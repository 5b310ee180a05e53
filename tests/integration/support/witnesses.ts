/** Subscribers that note when they learnt that an instance is no longer up, or is up again. */
import type { ServerProcess } from '@rollcall/testkit'
import type { Delta, State, View } from '@rollcall/wire'
import { openStream, type StreamPeer } from '../subscribers.js'
import { until } from './processes.js'

/** A state, or that it is not listed. */
export type Seen = State | 'gone'

/** One change of one instance as one subscriber saw it. */
export interface Sighting {
  readonly id: string
  readonly state: Seen
  readonly at: number
}

/** Several subscribers of one service. */
export interface Witnesses {
  readonly peers: readonly StreamPeer[]
  /** What each subscriber saw since `forget`, in its order. */
  readonly sightings: readonly (readonly Sighting[])[]
  /** How many instances are in each state; empty while the subscribers do not hold the same list. */
  states(): Readonly<Record<string, number>>
  /** Whether all subscribers see all of these in one of the states. */
  see(ids: readonly string[], ...states: readonly Seen[]): boolean
  /**
   * Waits until all subscribers see all of these in one of the states, and resolves with the moment, per instance,
   * at which the last of them learnt it. Counts sightings since `forget`.
   */
  when(ids: readonly string[], states: readonly Seen[], timeoutMs: number): Promise<Map<string, number>>
  /** Forgets what was seen. */
  forget(): void
  /** Everything that any mirror found wrong. */
  faults(): readonly string[]
  drop(): void
}

/**
 * Subscribes so many times to a service, at default over the stream's usual ping. Waits until its list is not stale: the
 * lists of a node that began with nothing are told anew when its first lease is over.
 */
export async function openWitnesses(
  server: Pick<ServerProcess, 'host' | 'port'>,
  service: string,
  count: number,
  pingMs?: number,
): Promise<Witnesses> {
  await until(async () => (await viewOf(server, service)).stale === false, `${service} is known`)
  const peers = await Promise.all(
    Array.from({ length: count }, () => openStream(server, pingMs === undefined ? {} : { pingMs })),
  )
  const sightings: Sighting[][] = peers.map(() => [])
  for (const [index, peer] of peers.entries()) {
    await peer.ask({ type: 'watch', services: [{ service }] })
    peer.onChange((update) => sightings[index]?.push(...sightingsOf(update, performance.now())))
  }
  const stateOf = (peer: StreamPeer, id: string): Seen =>
    peer.mirror(service).instances.get(`default/${id}`)?.state ?? 'gone'
  const see = (ids: readonly string[], ...states: readonly Seen[]): boolean =>
    peers.every((peer) => ids.every((id) => states.includes(stateOf(peer, id))))
  return {
    peers,
    sightings,
    see,
    states() {
      const [first, ...others] = peers.map((peer) => peer.mirror(service))
      const counts: Record<string, number> = {}
      if (first === undefined || others.some(({ sign }) => sign !== first.sign)) return counts
      for (const { state } of first.instances.values()) counts[state] = (counts[state] ?? 0) + 1
      return counts
    },
    async when(ids, states, timeoutMs) {
      await until(() => see(ids, ...states), `${states.join(' or ')} of ${ids.length}`, timeoutMs)
      return new Map(ids.map((id) => [id, Math.max(...sightings.map((each) => learnt(each, id, states)))]))
    },
    forget() {
      for (const each of sightings) each.length = 0
    },
    faults: () =>
      peers.flatMap((peer) => [
        ...peer.faults,
        ...(peer.mirror(service).views > 1 ? ['a full list was sent again'] : []),
      ]),
    drop() {
      for (const peer of peers) peer.drop()
    },
  }
}

async function viewOf(
  { host, port }: Pick<ServerProcess, 'host' | 'port'>,
  service: string,
): Promise<Partial<View>> {
  const answer = await fetch(`http://${host}:${port}/api/v1/services/${service}`)
  return (await answer.json()) as Partial<View>
}

/** When the state began in which the instance is now; NaN if it did not change. */
function learnt(sightings: readonly Sighting[], id: string, states: readonly Seen[]): number {
  let since = Number.NaN
  for (const sighting of sightings) {
    if (sighting.id !== id) continue
    if (!states.includes(sighting.state)) since = Number.NaN
    else if (Number.isNaN(since)) since = sighting.at
  }
  return since
}

function sightingsOf(update: View | Delta, at: number): Sighting[] {
  if ('instances' in update) return update.instances.map(({ id, state }) => ({ id, state, at }))
  return [
    ...update.upserts.map(({ id, state }) => ({ id, state, at })),
    ...update.removes.map(({ id }): Sighting => ({ id, state: 'gone', at })),
  ]
}
