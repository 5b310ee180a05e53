/** Prometheus' HTTP service discovery: the instances of the registry as targets to scrape. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Logger, Meter, RefusalLog, Registry } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import { Exchange, type HttpDeps } from '../http/exchange.js'
import type { HttpBudgets } from '../http/budgets.js'
import { createGate } from '../http/gate.js'
import { headersOf } from '../http/headers.js'
import { answerInPieces } from '../http/pieces.js'
import { encodeGroups, readQuery } from './codec.js'
import { writeError } from './errors.js'
import { Unsent } from '../http/unsent.js'
import { requireLoaded, type NodeLife } from '../http/loaded.js'
import { targetsOf } from './handlers.js'
import { resolveOptions, type PrometheusOptions } from './options.js'

export type { PrometheusOptions } from './options.js'

/** Collaborators of the adapter. */
export interface PrometheusDeps {
  readonly registry: Pick<Registry, 'read'>
  readonly node: NodeLife
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly refusals: RefusalLog
  readonly budgets: HttpBudgets
}

/** The adapter: one path, which the server mounts. */
export interface PrometheusDiscovery {
  /** Answers a request for targets; its query chooses among them. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void
}

/** Builds the adapter. It holds nothing between requests, so there is nothing to start or to close. */
export function createPrometheusDiscovery(
  deps: PrometheusDeps,
  options: PrometheusOptions = {},
): PrometheusDiscovery {
  const { registry, node } = deps
  const { allowedHosts, servicesMax, stalledMsMax } = resolveOptions(options)
  const gate = createGate(allowedHosts)
  const http: HttpDeps = {
    ...deps,
    unsent: new Unsent(deps.budgets.unsent),
    stalledMsMax,
    bodyBytesMax: 0,
    writeError,
    stopping: () => !node.readiness().ready,
  }
  return {
    handleRequest(req, res) {
      const exchange = new Exchange(http, req, res, headersOf(req))
      exchange.guard(() => {
        gate.checkHost(exchange.headers, req.httpVersion)
        if (req.method !== 'GET' && req.method !== 'HEAD')
          throw new RegistryError('method_not_allowed', 'targets are read with GET', {
            details: { allow: ['GET', 'HEAD'] },
          })
        // An empty list would take all targets from Prometheus.
        requireLoaded(node)
        const query = readQuery(req.url ?? '')
        const read = registry.read(exchange.caller)
        if (read.isStale() && read.services({ limit: 1 }).services.length === 0)
          throw new RegistryError('not_ready', 'the node began with nothing, and nothing has registered yet')
        const targets = targetsOf(read, query, servicesMax)
        answerInPieces(exchange, encodeGroups(targets))
      })
    },
  }
}
