/** What the query of a read says, beyond what is read: consistency, blocking, and what is to be told of both. */
import { parseDuration } from './durations.js'
import { refusal } from './errors.js'
import { boolOf } from './filter/filters.js'
import type { ConsulOptions } from './options.js'

/** A single writer answers all of them alike, but says which one it was asked for. */
export type Consistency = 'leader' | 'stale' | 'consistent'

export interface ReadQuery {
  readonly consistency: Consistency
  /** The index that the client has; undefined where it does not block. */
  readonly seen: number | undefined
  readonly waitMs: number
}

type ReadQueryOptions = Pick<Required<ConsulOptions>, 'datacenter' | 'waitMs' | 'waitMsMax'>

/** Throws the refusals of Consul for what it refuses. */
export function readingOf(query: URLSearchParams, options: ReadQueryOptions): ReadQuery {
  checkDatacenter(query, options)
  return { consistency: consistencyOf(query), ...blockingOf(query, options) }
}

export function checkDatacenter(
  query: URLSearchParams,
  { datacenter }: Pick<ReadQueryOptions, 'datacenter'>,
): void {
  const asked = query.get('dc') ?? ''
  if (asked !== '' && asked !== datacenter) throw refusal(500, 'No path to datacenter')
}

function consistencyOf(query: URLSearchParams): Consistency {
  const maxStale = query.get('max_stale')
  if (maxStale !== null && parseDuration(maxStale) === undefined)
    throw refusal(400, `Invalid max_stale value ${JSON.stringify(maxStale)}`)
  const stale = (query.has('stale') || maxStale !== null) && !query.has('leader')
  const consistent = query.has('consistent')
  if (consistent && (query.has('stale') || query.has('cached')))
    throw refusal(
      400,
      `Cannot specify ?${query.has('stale') ? 'stale' : 'cached'} with ?consistent, conflicting semantics.`,
    )
  return consistent ? 'consistent' : stale ? 'stale' : 'leader'
}

function blockingOf(
  query: URLSearchParams,
  { waitMs, waitMsMax }: ReadQueryOptions,
): Pick<ReadQuery, 'seen' | 'waitMs'> {
  const index = query.get('index') ?? ''
  if (index !== '' && !/^\d{1,20}$/.test(index)) throw refusal(400, 'Invalid index')
  const wait = query.get('wait') ?? ''
  const asked = wait === '' ? 0 : parseDuration(wait)
  if (asked === undefined) throw refusal(400, 'Invalid wait time')
  return {
    seen: index === '' || Number(index) === 0 ? undefined : Number(index),
    waitMs: Math.min(asked <= 0 ? waitMs : asked, waitMsMax),
  }
}

/** `passing=false` is a wish of its own; it stands in the query of each lookup of Spring's client. */
export function passingOf(query: URLSearchParams): boolean {
  const value = query.get('passing')
  if (value === null) return false
  const passing = value === '' ? true : boolOf(value)
  if (passing === undefined) throw refusal(400, 'Invalid value for ?passing')
  return passing
}

/** Go's client reads none of these behind one that is missing. */
export function readHeaders(index: number, consistency: Consistency): readonly string[] {
  return [...OF_READS[consistency], 'X-Consul-Index', String(index)]
}

/** What every answer has. */
export const OF_ALL: readonly string[] = ['X-Consul-Default-ACL-Policy', 'allow']

function ofReads(consistency: Consistency): readonly string[] {
  return [
    ...OF_ALL,
    ...['X-Consul-KnownLeader', 'true', 'X-Consul-LastContact', '0'],
    ...['X-Consul-Effective-Consistency', consistency, 'X-Consul-Query-Backend', 'blocking-query'],
  ]
}

const OF_READS: Readonly<Record<Consistency, readonly string[]>> = {
  leader: ofReads('leader'),
  stale: ofReads('stale'),
  consistent: ofReads('consistent'),
}
