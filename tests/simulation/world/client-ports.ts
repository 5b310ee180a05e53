/** What a client needs of the world, in a simulated process. */
import {
  type ClientPorts,
  createIncarnations,
  decode,
  type SnapshotStore,
  type Transport,
} from '#client/internal'
import type { ViewName } from '@rollcall/wire'
import type { Network } from './network.js'
import type { SimProcess } from './process.js'
import type { Chance } from './random.js'
import type { StreamEnd } from './stream.js'

/** A snapshot on the disk of a host. */
interface Stored {
  readonly list: Parameters<SnapshotStore['save']>[1]
  readonly savedAt: number
}

/** The snapshots of a host: they outlive its processes. */
export type Snapshots = Map<string, Stored>

/** What a simulated client runs on. */
export interface ClientPortsDeps {
  readonly process: SimProcess
  readonly network: Network
  readonly chance: Chance
  readonly snapshots: Snapshots
  /** The streams that are open, for what may happen to them. */
  readonly streams: Set<StreamEnd>
}

/** The ports of one life of a process. */
export function createClientPorts(deps: ClientPortsDeps): ClientPorts {
  const { process, chance, snapshots } = deps
  return {
    clock: clockOf(process),
    random: () => chance.fraction(),
    incarnations: createIncarnations(process.clock.wallNow()),
    transport: createTransport(deps),
    addresses: { interfaces: () => [process.host], route: () => Promise.resolve(undefined) },
    createRequester: () => ({
      send: () => Promise.reject(new Error('simulated programs speak no HTTP')),
      retain() {},
      close() {},
    }),
    openSnapshots: ({ cluster }) => createSnapshots(process, chance, snapshots, cluster),
  }
}

/** The clock of this life of a process: a promise that is settled after its end sets nothing in motion in the next one. */
function clockOf(process: SimProcess): ClientPorts['clock'] {
  const { clock, life } = process
  return {
    ...clock,
    setTimer: (delayMs, callback) => (process.life === life ? clock.setTimer(delayMs, callback) : () => {}),
    soon: (callback) => {
      if (process.life === life) clock.soon(callback)
    },
  }
}

function createTransport({ process, network, streams }: ClientPortsDeps): Transport {
  return {
    dial(url, listener) {
      const { hostname, port } = new URL(url)
      const end = network.dial(process, hostname, Number(port), {
        opened: () => listener.opened(process.host),
        message: (text) => {
          const message = decode(text)
          if (message === undefined) throw new Error(`unreadable for the client: ${text}`)
          if (message !== 'unknown') listener.message(message)
        },
        closed: (code, reason) => {
          streams.delete(end)
          listener.closed(code, reason)
        },
      })
      streams.add(end)
      return {
        send: (message) => end.send(JSON.stringify(message)),
        close: (code, reason) => {
          streams.delete(end)
          end.close(code, reason)
        },
      }
    },
    close: () => Promise.resolve(),
  }
}

function createSnapshots(
  { clock }: SimProcess,
  chance: Chance,
  snapshots: Snapshots,
  cluster: string,
): SnapshotStore {
  const keyOf = ({ namespace, service, group = '' }: ViewName): string =>
    `${cluster} ${namespace}/${service}/${group}`
  return {
    load: (name) =>
      new Promise((resolve) => {
        const stored = snapshots.get(keyOf(name))
        const sinceMs = stored === undefined ? 0 : Math.max(0, clock.wallNow() - stored.savedAt)
        clock.setTimer(chance.between(1, 30), () =>
          resolve(stored && { ...stored.list, ageMs: stored.list.ageMs + sinceMs }),
        )
      }),
    save(name, list) {
      snapshots.set(keyOf(name), { list, savedAt: clock.wallNow() })
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
}
