/** Consul's HTTP API, as far as its clients need it to register, to be checked and to find each other. */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Logger, Meter, RefusalLog, Registry } from '@rollcall/core'
import type { ErrorBody, Probe } from '@rollcall/wire'
import type { HttpBudgets } from '../http/budgets.js'
import { Exchange, type HttpDeps } from '../http/exchange.js'
import { createGate, type Gate } from '../http/gate.js'
import { headersOf } from '../http/headers.js'
import type { NodeLife } from '../http/loaded.js'
import { Unsent } from '../http/unsent.js'
import { Waits } from '../http/waits.js'
import { createAgenda } from './agenda.js'
import { Changes } from './changes.js'
import { Checks } from './checks.js'
import { writeError } from './errors.js'
import { createAgent } from './handlers/agent.js'
import { createCatalog } from './handlers/catalog.js'
import type { ConsulHandler, ConsulHandlerDeps } from './handlers/deps.js'
import { createHealth } from './handlers/health.js'
import { createKv } from './handlers/kv.js'
import { createOthers } from './handlers/others.js'
import { createRegistrations } from './handlers/registrations.js'
import { KeptAnswers } from './kept-answers.js'
import { KeyValues } from './key-values.js'
import { type ConsulOptions, resolveOptions } from './options.js'
import { OF_ALL } from './reading.js'
import { createRouter, type PathRouter } from './router.js'
import type { ConsulNode } from './shapes.js'

export type { ConsulOptions } from './options.js'

/** The node, as it shows itself. */
export interface ConsulIdentity {
  /** Name of the cluster: all its nodes are the same node to Consul's clients. */
  readonly cluster: string
  readonly version: string
  /** Host under which this node is reached. */
  address(): string
}

/** Collaborators of the adapter. */
export interface ConsulDeps {
  readonly registry: Registry
  readonly node: NodeLife
  readonly identity: ConsulIdentity
  /** Why a probe of an instance at a port may not be made as it is, or undefined: the rule of the core for probes. */
  readonly probeFault: (probe: Probe, ownPort: number) => ErrorBody | undefined
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  readonly logger: Logger
  readonly meter: Meter
  readonly refusals: RefusalLog
  readonly budgets: HttpBudgets
}

/** The adapter, which the server mounts at an address of its own. */
export interface ConsulProtocol {
  handleRequest(req: IncomingMessage, res: ServerResponse): void
  /** Begins to follow the registry and to make checks. */
  start(): void
  /** The node says goodbye: requests that wait are answered with that, now and from now on. */
  stop(): void
  /** Ends waiting requests and all checks. Idempotent. */
  close(): void
}

/** Builds the adapter. */
export function createConsulProtocol(deps: ConsulDeps, options: ConsulOptions = {}): ConsulProtocol {
  const { registry, clock, random, logger, node, budgets } = deps
  const settings = resolveOptions(options)
  const agenda = createAgenda(clock)
  const changes = new Changes({ registry, clock })
  const checks = new Checks({ registry, clock, random, logger, agenda })
  const keyValues = new KeyValues({ registry, clock }, settings)
  const waits = new Waits(budgets.waits)
  const handlerDeps: ConsulHandlerDeps = {
    registry,
    life: node,
    clock,
    random,
    checks,
    changes,
    waits,
    kept: new KeptAnswers(() => clock.now()),
    keyValues,
    options: settings,
    probeFault: deps.probeFault,
    node: nodeOf(deps.identity, settings),
  }
  const http: HttpDeps = {
    ...deps,
    unsent: new Unsent(budgets.unsent),
    stalledMsMax: settings.stalledMsMax,
    bodyBytesMax: settings.bodyBytesMax,
    writeError,
    stopping: () => !node.readiness().ready,
  }
  const handleRequest = createEntrance(http, createGate(settings.allowedHosts), routerOf(handlerDeps))
  return {
    handleRequest,
    start() {
      changes.start(checks)
      keyValues.start()
    },
    stop: () => waits.stop(),
    close() {
      waits.stop()
      agenda.close()
      changes.close()
      keyValues.close()
      checks.close()
    },
  }
}

function createEntrance(
  http: HttpDeps,
  gate: Gate,
  router: PathRouter<ConsulHandler>,
): ConsulProtocol['handleRequest'] {
  return (req, res) => {
    const exchange = new Exchange(http, req, res, headersOf(req))
    exchange.guard(() => {
      gate.checkHost(exchange.headers, req.httpVersion)
      exchange.more = OF_ALL
      const { method = 'GET', url = '/' } = req
      if (method !== 'GET' && method !== 'HEAD') gate.checkOrigin(exchange.headers)
      if (method === 'OPTIONS') {
        exchange.more = [...OF_ALL, 'Allow', router.allowed(url).join(',')]
        return exchange.empty(200)
      }
      const { handler, rest, query } = router.find(method, url)
      return handler({ exchange, rest, query })
    })
  }
}

function routerOf(deps: ConsulHandlerDeps): PathRouter<ConsulHandler> {
  return createRouter({
    ...createOthers(deps),
    ...createAgent(deps),
    ...createRegistrations(deps),
    ...createHealth(deps),
    ...createCatalog(deps),
    ...createKv(deps),
  })
}

/** The same UUID for all nodes of a cluster, after every restart: Traefik tells instances apart by it. */
function nodeOf(
  identity: ConsulIdentity,
  { nodeName, datacenter }: Required<ConsulOptions>,
): () => ConsulNode {
  const { cluster, version } = identity
  const hash = createHash('sha256').update(`rollcall consul ${cluster}`).digest('hex')
  const id = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `4${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-')
  return () => ({ id, name: nodeName, address: identity.address(), datacenter, version })
}
