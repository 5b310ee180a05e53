import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readiness } from '@rollcall/core'
import { errorBody } from '@rollcall/wire'

export interface HealthDeps {
  readonly readiness: () => Readiness
  /** What operators froze; shown beside readiness, so that nobody forgets it. */
  readonly frozen: () => readonly string[]
  /**
   * Whether the journal is behind because the disk refuses. The node serves on and stays ready, since losing it would
   * help nobody; shown, so that somebody looks after the disk.
   */
  readonly journalFailing: () => boolean
  /** The metrics in Prometheus' text format. */
  readonly metrics: () => string
}

/** Answers a request if it is one of its own and says whether it was. */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse) => boolean

/**
 * `/livez` (200 as long as the event loop turns: it asks nothing else, so that no trouble of disk or cluster
 * makes an orchestrator kill the node), `/readyz` (200, or 503 with the reason) and `/metrics`. They come before
 * the rule about the Host header: orchestrators and scrapers ask by whatever name they know.
 */
export function createHealthHandler(deps: HealthDeps): HealthHandler {
  return (request, response) => {
    const path = pathOf(request.url)
    if (path !== '/livez' && path !== '/readyz' && path !== '/metrics') return false
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      // The body, if any, is not read, so the connection cannot be used again.
      response.setHeader('Connection', 'close')
      answerJson(response, 405, { error: errorBody('method_not_allowed', `${path} is read with GET`) })
    } else if (path === '/metrics') {
      answer(response, 200, 'text/plain; version=0.0.4; charset=utf-8', deps.metrics())
    } else if (path === '/livez') {
      answerJson(response, 200, { live: true })
    } else {
      const readiness = deps.readiness()
      const frozen = deps.frozen()
      answerJson(response, readiness.ready ? 200 : 503, {
        ...readiness,
        ...(readiness.ready ? {} : { error: errorBody('not_ready', `not ready: ${readiness.reason}`) }),
        ...(frozen.length === 0 ? {} : { frozen }),
        ...(deps.journalFailing() ? { journal: 'failing' } : {}),
      })
    }
    return true
  }
}

function pathOf(url: string | undefined): string {
  const text = url ?? ''
  const query = text.indexOf('?')
  return query === -1 ? text : text.slice(0, query)
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
