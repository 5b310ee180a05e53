/** The address at which a node answers DNS, over UDP and TCP. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Clock, Logger, Meter } from '@rollcall/core'
import type { MessageAnswers } from './answers.js'
import type { HostPort } from '../config/address.js'
import type { Connections } from '../listener/connections.js'
import { listenError } from '../listener/listen-error.js'
import { createDatagrams, type Datagrams } from './datagrams.js'
import { createStreams, type DnsStreams } from './streams.js'

export interface DnsListenerDeps {
  readonly dns: MessageAnswers
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  /** One for all listeners of a node. */
  readonly connections: Connections
}

export interface DnsListenerOptions extends HostPort {
  readonly connectionsMax: number
  /** How long a connection may stand still. Default 30 s: resolvers that keep one ask again within seconds (RFC 7766, 6.2.3). */
  readonly idleMs?: number
}

/** A listener for DNS. */
export interface DnsListener {
  /** Answers from now on; rejects with `invalid_argument` on `dns.listen` when the address cannot be had. */
  start(): Promise<HostPort>
  /** Idempotent. */
  close(): Promise<void>
}

/** A query has a name of 255 bytes and what EDNS adds: cookies, padding. */
const QUERY_BYTES_MAX = 4_096
/** An answer may be longer than this, and there is one more beyond it at most. */
const UNSENT_BYTES_MAX = 65_536
/** At some microseconds each, a fraction of a millisecond; long answers take longer, hence the time. */
const TURN_QUERIES_MAX = 50
const TURN_MS_MAX = 2
/** A client that goes on asks again within this. */
const RESTING_MS_MIN = 1_000
/** A free port of TCP may be taken for UDP. */
const TRIES = 10

interface Sockets {
  readonly datagrams: Datagrams
  readonly streams: DnsStreams
}

/** Creates a listener. With port 0 it takes one that is free for both. */
export function createDnsListener(deps: DnsListenerDeps, options: DnsListenerOptions): DnsListener {
  const { host, port, connectionsMax, idleMs = 30_000 } = options
  const bounds = {
    connectionsMax,
    idleMs,
    queryBytesMax: QUERY_BYTES_MAX,
    unsentBytesMax: UNSENT_BYTES_MAX,
    turnQueriesMax: TURN_QUERIES_MAX,
    turnMsMax: TURN_MS_MAX,
    restingMsMin: RESTING_MS_MIN,
  }
  let sockets: Sockets | undefined

  async function close(): Promise<void> {
    sockets?.datagrams.close()
    await sockets?.streams.close()
  }

  async function open(address: string): Promise<number> {
    const { datagrams, streams } = (sockets = {
      datagrams: createDatagrams(deps),
      streams: createStreams(deps, bounds),
    })
    const bound = await streams.start({ host: address, port })
    await datagrams.start({ host: address, port: bound })
    return bound
  }

  return {
    async start() {
      try {
        const address = isIP(host) === 0 ? (await lookup(host)).address : host
        for (let left = TRIES; ; left--) {
          try {
            const bound = { host: address, port: await open(address) }
            deps.logger.info(bound, 'listening for UDP and TCP')
            return bound
          } catch (error) {
            await close()
            const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
            if (port !== 0 || !isTaken || left === 1) throw error
          }
        }
      } catch (error) {
        throw listenError(error as NodeJS.ErrnoException, { host, port }, 'dns.listen')
      }
    },
    close,
  }
}
