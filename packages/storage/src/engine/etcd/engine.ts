/** The engine of a cluster on etcd: the port of core over calls, watches and leases. */
import { type Clock, EngineError, type EnginePort, type Logger } from '@rollcall/core'
import { type Calls, createCalls } from './calls.js'
import { type JoinedCharter, joinCharter } from './charter.js'
import { createEndpoints, type Endpoints } from './endpoints.js'
import { createHealth, type Health } from './health.js'
import { createEtcdHistory, type EtcdHistory } from './history.js'
import { createHttp2Transport } from './http2-transport.js'
import { createPrefixKeys, type PrefixKeys } from './keys.js'
import { createLasting } from './lasting.js'
import { createSharedLeases, type SharedLeases } from './leases.js'
import { HeldKey } from './node-lease.js'
import { checkedOptions, type EtcdOptions, type EtcdTiming } from './options.js'
import { createPauses, type Pauses } from './pauses.js'
import { readAll, readKeys, scanAll } from './ranges.js'
import { createTokens } from './tokens.js'
import type { EtcdTransport } from './transport.js'
import { PrefixWatch } from './watch.js'
import { writeBatch } from './writes.js'

export interface EtcdEngineDeps {
  readonly clock: Clock
  /** A fraction in [0, 1): the order of the members, and how long is waited between attempts. */
  readonly random: () => number
  readonly logger: Logger
  /** How calls get to etcd. Default: Node's HTTP/2. */
  readonly transport?: EtcdTransport
}

/** What an engine is made of. */
interface Parts {
  readonly calls: Calls
  readonly clock: Clock
  readonly endpoints: Endpoints
  readonly health: Health
  readonly history: EtcdHistory
  readonly keys: PrefixKeys
  readonly leases: SharedLeases
  readonly logger: Logger
  readonly pauses: Pauses
  readonly timing: EtcdTiming
  readonly transport: EtcdTransport
}

/**
 * An engine on etcd 3.4 or newer. It connects when it is first asked; every operation but `join` and `status` rejects with
 * `epoch` before `join`. Throws TypeError for options that no engine can be made of.
 */
export function createEtcdEngine(deps: EtcdEngineDeps, options: EtcdOptions): EnginePort {
  const checked = checkedOptions(options)
  const parts = createParts(deps, checked)
  const { calls, health, keys, pauses } = parts
  const lasting = createLasting()
  let charter: JoinedCharter | undefined
  let closing: Promise<void> | undefined

  const joined = (): JoinedCharter => {
    if (pauses.closed) throw new EngineError('unavailable', 'the engine is closed')
    if (charter === undefined) throw new EngineError('epoch', 'no charter was joined')
    return charter
  }
  async function close(): Promise<void> {
    health.close()
    await lasting.close()
    pauses.close()
    await parts.transport.close()
  }

  return {
    async join(offer) {
      charter = await joinCharter(calls, keys, offer)
      health.look()
      return charter.charter
    },
    load: async (page) => readAll(parts, joined(), page),
    scan: async (page) => scanAll(parts, joined(), page),
    read: async (names) => readKeys(parts, joined(), names),
    watch(revision, watcher) {
      const stands = joined()
      return lasting.watch((noticing) => new PrefixWatch(parts, stands, revision, noticing), watcher)
    },
    write: async (epoch, writes) => writeBatch(parts, joined(), epoch, writes),
    hold: (lease, listener) => lasting.hold(new HeldKey({ ...parts, charter: joined }, lease, listener)),
    status: () => ({
      kind: 'etcd',
      endpoints: checked.endpoints,
      alarms: health.alarms,
      ...(health.version === undefined ? {} : { version: health.version }),
    }),
    close: () => (closing ??= close()),
  }
}

function createParts(
  { clock, random, logger, transport: given }: EtcdEngineDeps,
  options: EtcdOptions & { readonly timing: EtcdTiming },
): Parts {
  const { timing } = options
  const pauses = createPauses(clock, random, timing)
  const transport = given ?? createHttp2Transport(clock, options)
  const tokens = createTokens(transport, options)
  const endpoints = createEndpoints(
    { clock, random, logger, transport, tokens, pauses },
    options.endpoints,
    timing,
  )
  const history = createEtcdHistory()
  const calls = createCalls(endpoints, history)
  return {
    calls,
    clock,
    endpoints,
    health: createHealth({ calls, endpoints, clock, logger }, timing.statusMs),
    history,
    keys: createPrefixKeys(options.prefix),
    leases: createSharedLeases(calls, clock, timing.operationMs),
    logger,
    pauses,
    timing,
    transport,
  }
}
