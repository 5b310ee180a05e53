/** Rollcall as a side of a bridge, by its native API. */
import {
  DEFAULTS,
  defined,
  isRegistryError,
  LIMITS,
  type Instance,
  type InstanceRef,
  type InstanceSpec,
  type View,
} from '@rollcall/wire'
import { allServices, viewOf, type ClusterApi } from '../api-client.js'
import { tagsAsMetadata } from './consul-mapping.js'
import { inTurn } from './in-turn.js'
import { MARK_KEY, marked, readMark, unmarked } from './mark.js'
import type { MirroredInstance, SeenInstance, SeenStanding } from './records.js'
import type { Side } from './side.js'

export interface RollcallSideOptions {
  readonly namespace: string
  /** Undefined: all groups are mirrored, and what is mirrored here is in `default`. */
  readonly group: string | undefined
}

/** A node asks after half of it: with a round in between, renewals stay below that. */
const LEASE_MS = 60_000
const RENEW_MS = 15_000

/** Items of one request. */
const BATCH_MAX = 500

export function createRollcallSide(api: ClusterApi, { namespace, group }: RollcallSideOptions): Side {
  /** Lists by service, until their sign changes. */
  let views = new Map<string, View>()
  const refOf = (mirror: MirroredInstance): InstanceRef => ({
    namespace,
    service: mirror.service,
    group: mirror.group ?? group ?? DEFAULTS.group,
    id: mirror.id,
  })
  return {
    kind: 'rollcall',
    forgets: false,
    renewMs: RENEW_MS,
    fit: (seen) => ({ ...seen, metadata: fitting({ ...seen.metadata, ...tagsAsMetadata(seen.tags) }) }),
    async list() {
      const read = new Map<string, View>()
      const summaries = await allServices(api, { namespace })
      await inTurn(
        summaries,
        () => false,
        async ({ service, sign }) => {
          const known = views.get(service)
          const isKnown = known?.sign === sign && !known.stale
          const view = isKnown ? known : await viewUnlessGone(api, namespace, service)
          if (view !== undefined) read.set(service, view)
        },
      )
      views = read
      const all = [...read.values()]
      const instances = all.flatMap((view) => view.instances)
      return {
        instances: instances.filter((each) => group === undefined || each.group === group).map(seenOf),
        unreadable: 0,
        stale: all.some(({ stale }) => stale),
      }
    },
    register: (items, late, done) =>
      inBatches(items, late, async (batch) => {
        const instances = batch.map((mirror) => ({ ...refOf(mirror), ...specOf(mirror) }))
        const { results } = await api.call('register', { body: { instances } })
        for (const [at, mirror] of batch.entries()) {
          const result = results[at]
          if (result?.ok === true) done(mirror, 'done')
          else done(mirror, { refused: result?.error.message ?? 'no answer' })
        }
      }),
    renew: (items, late, done) =>
      inBatches(items, late, async (batch) => {
        const answer = await api.call('heartbeat', { body: { instances: batch.map(refOf) } })
        const unknown = new Set(answer.unknown.map(keyOf))
        const taken = new Set([...answer.deregistered, ...answer.superseded].map(keyOf))
        for (const mirror of batch) {
          const key = keyOf(refOf(mirror))
          done(mirror, unknown.has(key) ? 'unknown' : taken.has(key) ? 'taken' : 'done')
        }
      }),
    remove: (items, late, done) =>
      inBatches(items, late, async (batch) => {
        await api.call('deregister', { body: { instances: batch.map(refOf) } })
        for (const mirror of batch) done(mirror, 'done')
      }),
  }
}

/** A service may go between two questions. */
async function viewUnlessGone(
  api: ClusterApi,
  namespace: string,
  service: string,
): Promise<View | undefined> {
  try {
    return await viewOf(api, { namespace, service })
  } catch (error) {
    if (isRegistryError(error) && error.code === 'unknown_service') return undefined
    throw error
  }
}

function keyOf({ service, group = DEFAULTS.group, id }: InstanceRef): string {
  return `${service} ${group} ${id}`
}

async function inBatches(
  items: readonly MirroredInstance[],
  late: () => boolean,
  each: (batch: readonly MirroredInstance[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length && !late(); at += BATCH_MAX) await each(items.slice(at, at + BATCH_MAX))
}

const STANDINGS: Readonly<Record<Instance['state'], SeenStanding>> = {
  up: 'up',
  // Not yet judged: consumers of ours call it when there is nothing better.
  suspect: 'up',
  starting: 'starting',
  draining: 'out',
  disabled: 'out',
  down: 'lost',
}

function seenOf(instance: Instance): SeenInstance {
  const { id, service, group, host, port, protocol, weight, zone, metadata, state } = instance
  return {
    id,
    service,
    group,
    host,
    port,
    ...defined({ protocol, zone, mark: readMark(metadata) }),
    ...(weight === DEFAULTS.weight ? {} : { weight }),
    metadata: unmarked(metadata),
    standing: STANDINGS[state],
  }
}

function specOf(mirror: MirroredInstance): Omit<InstanceSpec, 'service'> {
  const { host, port, protocol, weight, zone, standing } = mirror
  return {
    host,
    port,
    ...defined({ protocol, weight, zone }),
    metadata: marked(mirror),
    state: standing === 'out' ? 'draining' : standing === 'starting' ? 'starting' : 'up',
    leaseMs: LEASE_MS,
    liveness: 'lease',
  }
}

/** Room for the mark beside the metadata. */
const MARK_BYTES = MARK_KEY.length + 160

/** As much metadata as a node takes, in its order. */
function fitting(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept: (readonly [string, string])[] = []
  let bytes = MARK_BYTES
  for (const pair of Object.entries(metadata)) {
    const size = Buffer.byteLength(pair[0]) + Buffer.byteLength(pair[1])
    if (pair[0] === '' || kept.length >= LIMITS.metadataKeysMax - 1 || bytes + size > LIMITS.metadataBytesMax)
      continue
    bytes += size
    kept.push(pair)
  }
  return Object.fromEntries(kept)
}
