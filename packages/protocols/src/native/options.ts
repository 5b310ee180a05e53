/** Settings of the native protocol, each with its default and the reason for it. */
import { DEFAULTS, LIMITS, type Limits } from '@rollcall/wire'

/** What may be set; everything has a default. */
export interface NativeOptions {
  /** Version of the software, shown in the OpenAPI document. Default `0.0.0`. */
  readonly version?: string
  /** Bounds of requests, frames and batches. Defaults: LIMITS of wire. */
  readonly limits?: Partial<Limits>
  /** Host names, beside addresses and `localhost`, under which browsers and clients may reach the node. Default none. */
  readonly allowedHosts?: readonly string[]
  /** How often a stream client is told to send something. Default 3,000: two missed ones are silence. */
  readonly pingMs?: number
  /** How long a new stream may take to say hello. Default 5,000: a half-open upgrade holds a socket no longer. */
  readonly helloMsMax?: number
  /** Most open streams. Default 20,000; each costs about 30 KiB, sockets included. */
  readonly streamsMax?: number
  /** Most open event streams. Default 20,000, as for streams. */
  readonly eventStreamsMax?: number
  /** Most services of one event stream. Default 128: each event carries an id with a sign for each of them. */
  readonly eventWatchesMax?: number
  /** Most followers of the event log. Default 100: it is for operators, and each reads every event. */
  readonly eventLogFeedsMax?: number
  /** Interval of comments on event streams. Default 15,000: below the idle timeouts of common proxies. */
  readonly commentMs?: number
  /** Unsent bytes of a subscriber beyond which deltas are withheld. Default 1 MiB. */
  readonly bufferBytesMax?: number
  /** How long a subscriber may stay beyond its bound before it is disconnected. Default 60,000. */
  readonly stalledMsMax?: number
  /** Requests of one stream under way at once; more are not read. Default 64. */
  readonly requestsMax?: number
  /** Unsent bytes of answers on one stream beyond which no more requests are read. Default 256 KiB. */
  readonly answerBytesMax?: number
  /** Encoded views kept for lookups, in bytes. Default 64 MiB; the oldest are dropped first. */
  readonly viewCacheBytesMax?: number
  /** How long `close` waits for peers to say goodbye. Default 2,000. */
  readonly closeMsMax?: number
}

/** The settings with every default filled in. */
export interface ResolvedOptions extends Required<Omit<NativeOptions, 'limits'>> {
  readonly limits: Limits
}

const NATIVE_DEFAULTS: Omit<ResolvedOptions, 'limits'> = {
  version: '0.0.0',
  allowedHosts: [],
  pingMs: DEFAULTS.pingMs,
  helloMsMax: 5_000,
  streamsMax: 20_000,
  eventStreamsMax: 20_000,
  eventWatchesMax: 128,
  eventLogFeedsMax: 100,
  commentMs: 15_000,
  bufferBytesMax: 1_048_576,
  stalledMsMax: 60_000,
  requestsMax: 64,
  answerBytesMax: 262_144,
  viewCacheBytesMax: 67_108_864,
  closeMsMax: 2_000,
}

/** Fills in defaults. */
export function resolveOptions(options: NativeOptions): ResolvedOptions {
  return { ...NATIVE_DEFAULTS, ...options, limits: { ...LIMITS, ...options.limits } }
}
