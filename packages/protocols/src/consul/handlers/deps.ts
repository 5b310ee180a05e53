/** What the handlers share. */
import type { Clock, Queries, Registry } from '@rollcall/core'
import type { ChangeWait } from '@rollcall/core'
import { type ErrorBody, type Probe, RegistryError } from '@rollcall/wire'
import type { AcceptedBodies, Exchange } from '../../http/exchange.js'
import { requireLoaded, type NodeLife } from '../../http/loaded.js'
import { answerInPieces } from '../../http/pieces.js'
import type { Waits } from '../../http/waits.js'
import { viaConsul } from '../caller.js'
import type { Changes } from '../changes.js'
import type { Checks } from '../checks.js'
import { refusal } from '../errors.js'
import { FilterError } from '../filter/expressions.js'
import type { ListKind } from '../filter/fields.js'
import { createFilter, type Filter } from '../filter/filters.js'
import type { KeptAnswers } from '../kept-answers.js'
import type { KeyValues } from '../key-values.js'
import type { ConsulOptions } from '../options.js'
import { readHeaders, readingOf } from '../reading.js'
import type { Routes } from '../router.js'
import type { ConsulNode } from '../shapes.js'

export interface ConsulHandlerDeps {
  readonly registry: Registry
  readonly life: NodeLife
  readonly clock: Clock
  readonly random: () => number
  readonly checks: Checks
  readonly changes: Changes
  readonly waits: Waits
  readonly kept: KeptAnswers
  readonly keyValues: KeyValues
  readonly options: Required<ConsulOptions>
  /** Why a probe of an instance at a port may not be made as it is, or undefined. */
  probeFault(probe: Probe, ownPort: number): ErrorBody | undefined
  /** As which the node shows itself at present. */
  node(): ConsulNode
}

/** A request that was let in. */
export interface Call {
  readonly exchange: Exchange
  readonly rest: string
  readonly query: URLSearchParams
}

export type ConsulHandler = (call: Call) => void | Promise<void>
export type HandlerRoutes = Routes<ConsulHandler>

/** What is read on behalf of a caller. */
export function readFor({ registry }: ConsulHandlerDeps, { exchange }: Call): Queries {
  return registry.read(viaConsul(exchange.caller))
}

/** What has an index and can be waited for. */
export interface Scope {
  /** `seen`: the index that the client shows. */
  index(seen?: number): number
  /** How long that client may be kept waiting for a change, of `timeoutMs`; 0 where it is to be answered at once. */
  patience(seen: number, timeoutMs: number): number
  /** Waits for a change. */
  wait(timeoutMs: number): ChangeWait
}

/** The scope of a service of ours, or of all of them. */
export function scopeOf({ changes }: ConsulHandlerDeps, service?: string): Scope {
  return {
    index: (seen) => changes.index(service, seen),
    patience: (seen, timeoutMs) => changes.patience(service, seen, timeoutMs),
    wait: (timeoutMs) => changes.wait(service, timeoutMs),
  }
}

/**
 * Answers a read: at once, or as soon as there is something that the client does not have. The index is taken before the answer is
 * made: what changes in between wakes its next request. What was written out for another one that asked the same is sent again.
 */
export function answerRead(
  deps: ConsulHandlerDeps,
  call: Call,
  scope: Scope,
  pieces: () => Iterable<string>,
): void | Promise<void> {
  requireLoaded(deps.life)
  const request = requestOf(call)
  return blocking(deps, call, scope, () => {
    const index = scope.index()
    const kept = deps.kept.get(request, index)
    if (kept !== undefined) return call.exchange.text(200, kept)
    answerInPieces(call.exchange, deps.kept.made(request, index, pieces()))
  })
}

/** What of a request decides its answer, all the rest being equal: clients send a new index with each. */
function requestOf({ exchange, query }: Call): string {
  const { url = '' } = exchange.req
  const [path] = url.split('?', 1)
  return `${path} ${JSON.stringify(CHOOSING.map((name) => query.getAll(name)))}`
}

/** Parameters that choose what is listed. */
const CHOOSING = ['passing', 'tag', 'filter', 'node-meta'] as const

/** The same, where the answer is sent by its maker. */
export function blocking(
  deps: ConsulHandlerDeps,
  { exchange, query }: Call,
  scope: Scope,
  send: () => void,
): void | Promise<void> {
  const { consistency, seen, waitMs } = readingOf(query, deps.options)
  const answer = (): void => {
    exchange.more = readHeaders(scope.index(seen), consistency)
    send()
  }
  if (seen === undefined) return answer()
  // As Consul: up to a sixteenth more, so that not all come back at once. Clients hang up soon after that.
  const patienceMs = scope.patience(seen, waitMs + (waitMs / 16) * deps.random())
  return patienceMs === 0 ? answer() : deps.waits.hold(exchange, () => scope.wait(patienceMs), answer)
}

/** The filter of a query. Its faults are Consul's 500. */
export function filterOf(query: URLSearchParams, kind: ListKind): Filter {
  try {
    return createFilter(query.get('filter') ?? undefined, kind)
  } catch (error) {
    if (error instanceof FilterError)
      throw refusal(500, `Failed to create boolean expression evaluator: ${error.message}`)
    throw error
  }
}

/** Refuses while the ids of earlier registrations are not known again yet, right after the start. */
export function requireReady({ checks, life }: ConsulHandlerDeps): void {
  requireLoaded(life)
  if (!checks.ready) throw new RegistryError('not_ready', 'the node is still loading')
}

/** A JSON array, item by item; a step without one is an empty piece. */
export function* list(items: Iterable<object | undefined>): Generator<string> {
  let before = '['
  for (const item of items) {
    if (item === undefined) {
      yield ''
      continue
    }
    yield `${before}${JSON.stringify(item)}`
    before = ','
  }
  yield before === '[' ? '[]' : ']'
}

/** A JSON object, member by member. */
export function* members(pairs: Iterable<readonly [string, string] | undefined>): Generator<string> {
  let before = '{'
  for (const pair of pairs) {
    if (pair === undefined) {
      yield ''
      continue
    }
    yield `${before}${JSON.stringify(pair[0])}:${pair[1]}`
    before = ','
  }
  yield before === '{' ? '{}' : '}'
}

/** Bodies of any media type: clients in Python name none, and no page may send a PUT to another site without asking first. */
export const ANY_BODY: AcceptedBodies = { is: () => true, words: 'a body is needed' }

/** Writes are answered with nothing. */
export function done({ exchange }: Call): void {
  exchange.empty(200)
}
