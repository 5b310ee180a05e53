/** Health and metrics of a node, for orchestrators and scrapers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NodeHealth, Readiness, RefusalLog } from '@rollcall/core'
import { type ClusterEngine, errorBody, isRegistryError, type RegistryError } from '@rollcall/wire'
import type { Mount } from './mounts.js'

export interface HealthDeps {
  readonly readiness: () => Readiness
  /** How the node fares beside its peers; shown where that is not well. */
  readonly health: () => NodeHealth
  /** What joins the node with others; shown unless nothing does. */
  readonly engine: () => Pick<ClusterEngine, 'kind' | 'state'>
  /** Namespaces that are frozen; shown beside readiness, so that it is not forgotten. */
  readonly frozen: () => readonly string[]
  /**
   * Why the journal is behind, if it is. The node serves on and stays ready, since clients are better off with it than
   * without; shown, so that an operator sees to the disk.
   */
  readonly journalFault: () => string | undefined
  /**
   * How much of the heap is alive, and how much may be. Shown when it is near, and never a reason to be asked less: what is
   * known is served as ever, and clients that went elsewhere would fill the next node.
   */
  readonly heap: () => { readonly used: number; readonly max: number }
  /** The metrics in Prometheus' text format. */
  readonly metrics: () => string
  /** Throws a RegistryError for a request that comes under the name of another site. */
  readonly checkHost: (request: IncomingMessage) => void
  readonly refusals: RefusalLog
}

/**
 * `/livez` (200 as long as the event loop turns: it asks nothing else, so that no trouble of disk or cluster
 * makes an orchestrator kill the node), `/readyz` (200, or 503 with the reason) and `/metrics`. Orchestrators ask for the
 * first two by whatever name they know. Metrics are not for a page of another site, nor is what `/readyz` says beside that:
 * under a name that the API refuses it says so instead, so that not all seems well where nothing else is answered.
 */
export function healthMounts(deps: HealthDeps): readonly Mount[] {
  return [
    readOnly('/livez', (response) => answerJson(response, 200, { live: true })),
    readOnly('/readyz', (response, request) => {
      const readiness = deps.readiness()
      const refusal = refusalOf(deps, request)
      answerJson(response, readiness.ready ? 200 : 503, {
        ...readiness,
        ...(readiness.ready ? {} : { error: errorBody('not_ready', `not ready: ${readiness.reason}`) }),
        ...(refusal === undefined ? details(deps) : { refused: refusal.toBody() }),
      })
    }),
    readOnly('/metrics', (response, request) => {
      const refusal = refusalOf(deps, request)
      if (refusal !== undefined) {
        const error = refusal.toBody()
        deps.refusals.note(error, request.socket.remoteAddress)
        return answerJson(response, refusal.httpStatus, { error })
      }
      answer(response, 200, 'text/plain; version=0.0.4; charset=utf-8', deps.metrics())
    }),
  ]
}

function refusalOf({ checkHost }: HealthDeps, request: IncomingMessage): RegistryError | undefined {
  try {
    checkHost(request)
    return undefined
  } catch (error) {
    if (isRegistryError(error)) return error
    throw error
  }
}

/** What an operator should know of a node that serves. */
function details(deps: HealthDeps): object {
  const frozen = deps.frozen()
  const journalFault = deps.journalFault()
  return {
    ...joined(deps.engine()),
    ...trouble(deps.health()),
    ...(frozen.length === 0 ? {} : { frozen }),
    ...nearness(deps.heap()),
    ...(journalFault === undefined ? {} : { journal: 'failing', journalFault }),
  }
}

/** Share of what may be alive from which on it is shown. */
const NEAR = 0.75

function nearness({ used, max }: ReturnType<HealthDeps['heap']>): {
  readonly heap?: { readonly usedBytes: number; readonly maxBytes: number }
} {
  return used < max * NEAR ? {} : { heap: { usedBytes: used, maxBytes: max } }
}

function joined({ kind, state }: ReturnType<HealthDeps['engine']>): {
  readonly engine?: ClusterEngine['state']
} {
  return kind === 'none' ? {} : { engine: state }
}

function trouble({ stale, island }: NodeHealth): Partial<NodeHealth> {
  return { ...(stale ? { stale } : {}), ...(island ? { island } : {}) }
}

function readOnly(path: string, read: (response: ServerResponse, request: IncomingMessage) => void): Mount {
  return {
    path,
    handleRequest(request, response) {
      const { method } = request
      if (method === 'GET' || method === 'HEAD') return read(response, request)
      response.setHeader('Allow', 'GET, HEAD')
      // The body, if any, is not read, so the connection cannot be used again.
      response.setHeader('Connection', 'close')
      answerJson(response, 405, { error: errorBody('method_not_allowed', `${path} is read with GET`) })
    },
  }
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  answer(response, status, 'application/json', JSON.stringify(body))
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  })
  response.end(body)
}
