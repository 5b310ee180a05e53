/** Eureka: its REST API as Spring Cloud serves it, so that clients of Eureka use Rollcall unchanged. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  ANONYMOUS,
  type Clock,
  type Logger,
  type Meter,
  type RefusalLog,
  type Registry,
} from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import type { HttpBudgets } from '../http/budgets.js'
import { Exchange, type HttpDeps } from '../http/exchange.js'
import { createGate } from '../http/gate.js'
import { headersOf } from '../http/headers.js'
import type { NodeLife } from '../http/loaded.js'
import { Unsent } from '../http/unsent.js'
import { PROTOCOL } from './document.js'
import { writeError } from './errors.js'
import { EurekaHandlers } from './handlers.js'
import { type EurekaOptions, resolveOptions } from './options.js'
import { readAsked } from './paths.js'

export type { EurekaOptions } from './options.js'

/** Collaborators of the adapter. */
export interface EurekaDeps {
  readonly registry: Pick<Registry, 'execute' | 'heard' | 'read'>
  readonly node: NodeLife
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly refusals: RefusalLog
  readonly budgets: HttpBudgets
}

/** The adapter, which the server mounts at `/` of an address of its own. */
export interface EurekaServer {
  /** Answers any request. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void
  /** Forgets what was written for clients. Idempotent. */
  close(): void
}

/** Builds the adapter. Nothing of the registry is read or copied before the first lookup. */
export function createEurekaServer(deps: EurekaDeps, options: EurekaOptions = {}): EurekaServer {
  const { registry, node, clock, meter } = deps
  const resolved = resolveOptions(options)
  const gate = createGate(resolved.allowedHosts)
  const isStopping = (): boolean => {
    const readiness = node.readiness()
    return !readiness.ready && readiness.reason === 'stopping'
  }
  const http: HttpDeps = {
    ...deps,
    unsent: new Unsent(deps.budgets.unsent),
    stalledMsMax: resolved.stalledMsMax,
    bodyBytesMax: resolved.bodyBytesMax,
    writeError,
    stopping: isStopping,
  }
  const reader = { principal: ANONYMOUS, via: PROTOCOL }
  const handlers = new EurekaHandlers({ registry, node, clock, reader }, resolved)
  return {
    handleRequest(req, res) {
      const exchange = new Exchange(http, req, res, headersOf(req))
      meter.count('rollcall_foreign_requests_total', 1, PROTOCOL)
      exchange.guard(() => {
        if (isStopping()) throw new RegistryError('stopping', 'the node is stopping')
        gate.checkHost(exchange.headers, req.httpVersion)
        const method = req.method ?? 'GET'
        if (method !== 'GET' && method !== 'HEAD') gate.checkOrigin(exchange.headers)
        return handlers.answer(exchange, readAsked(method, req.url ?? '/'))
      })
    },
    close: () => handlers.close(),
  }
}
