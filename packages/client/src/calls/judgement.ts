/** What the end of an attempt means for the call and for the instance. */
import type { CallOutcome } from '../machine/events.js'

/** What came of one attempt. */
export type AttemptEnd<T> =
  | { readonly ok: true; readonly answer: T }
  | { readonly ok: false; readonly error: unknown }

/** What the end of an attempt means. */
export interface Judgement {
  /** What it says about the instance; undefined: nothing. */
  readonly outcome?: CallOutcome
  /**
   * When another attempt may follow. `always`: this one was certainly not executed. `idempotent`: it may have been.
   * `never`: what came is the result of the call.
   */
  readonly retry: 'always' | 'idempotent' | 'never'
}

/** The judgement of a good answer. */
export const GOOD: Judgement = { outcome: 'success', retry: 'never' }

const UNSENT: Judgement = { outcome: 'unreachable', retry: 'always' }
const BROKEN: Judgement = { outcome: 'unreachable', retry: 'idempotent' }
const LATE: Judgement = { outcome: 'timeout', retry: 'idempotent' }
/** An answer, or the caller's own mistake: it is for the caller, and holds nothing against the instance. */
const FOREIGN: Judgement = { retry: 'never' }

/**
 * How far an attempt had come that brought no response. `connect`: no connection was established (with TLS: no secure
 * one), so nothing was sent. `sent`: the request may have been executed.
 */
export type Phase = 'connect' | 'sent'

/** Codes of Node and undici. Without a connection nothing was sent, whatever the reason. */
const BY_CODE: Readonly<Record<string, Judgement>> = {
  ECONNREFUSED: UNSENT,
  ENOTFOUND: UNSENT,
  EAI_AGAIN: UNSENT,
  UND_ERR_CONNECT_TIMEOUT: UNSENT,
  HOSTNAME_MISMATCH: UNSENT,
  ECONNRESET: BROKEN,
  ECONNABORTED: BROKEN,
  EPIPE: BROKEN,
  EPROTO: BROKEN,
  ETIMEDOUT: BROKEN,
  EHOSTUNREACH: BROKEN,
  ENETUNREACH: BROKEN,
  ERR_STREAM_PREMATURE_CLOSE: BROKEN,
  ERR_HTTP2_STREAM_ERROR: BROKEN,
  ERR_HTTP2_SESSION_ERROR: BROKEN,
  ERR_HTTP2_GOAWAY_SESSION: BROKEN,
  UND_ERR_SOCKET: BROKEN,
  UND_ERR_HEADERS_TIMEOUT: LATE,
  UND_ERR_BODY_TIMEOUT: LATE,
}

/** Codes that come in families. */
const BY_FAMILY: readonly (readonly [family: RegExp, judgement: Judgement])[] = [
  // A certificate is judged in the handshake, before anything is sent.
  [/^(CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)_/, UNSENT],
  // What answers is not what it should be; it may have come in the middle of an answer.
  [/^(HPE|ERR_SSL|ERR_TLS)_/, BROKEN],
]

/** What the caller asked for cannot be sent, or is not wanted any more: no instance has a part in it. */
const OF_THE_CALLER =
  /^(ABORT_ERR$|ERR_(HTTP|INVALID|UNESCAPED)_|UND_ERR_(ABORTED$|CLOSED$|DESTROYED$|INVALID_|NOT_SUPPORTED$|REQ_))/

/** Errors wrap errors; deeper than this, and beside more than this, they are not looked at. */
const CAUSES_MAX = 5
const BESIDE_MAX = 64

/**
 * What an error of Node's sockets, of `fetch` or of a library above them means: a connection that was not made, one that
 * broke, an answer that came too late. Where it is known how far the attempt had come and that no response began, `phase`
 * decides; only what is the caller's own mistake stays the caller's. Without it the error does, by its `code` or those of
 * its causes, and what is not known is an answer: handed to the caller, neither repeated nor held against the instance.
 */
export function judgeError(error: unknown, phase?: Phase): Judgement {
  const known = judgementOf(causesOf(error))
  if (phase === undefined || known?.retry === 'never') return known ?? FOREIGN
  if (phase === 'connect') return UNSENT
  // The maker of the attempt knows better than a code that something was sent.
  return known === undefined || known.retry === 'always' ? BROKEN : known
}

/** Whether the other side said no at once: an attempt that cost no time. */
export function isRefusal(error: unknown): boolean {
  const refused = (causes: readonly Cause[]): boolean => causes.some(({ code }) => code === 'ECONNREFUSED')
  const causes = causesOf(error)
  const beside = besideOf(causes)
  return beside === undefined ? refused(causes) : beside.every(refused)
}

/** By the error alone; undefined where it says nothing. */
function judgementOf(causes: readonly Cause[]): Judgement | undefined {
  const beside = besideOf(causes)
  if (beside === undefined) return first(causes, judgementOfOne)
  // Only if nothing was sent to any of the addresses nothing was sent.
  const judgements = beside.map((each) => first(each, judgementOfOne))
  if (judgements.includes(FOREIGN)) return FOREIGN
  if (judgements.includes(undefined)) return undefined
  return judgements.find((judgement) => judgement !== UNSENT) ?? UNSENT
}

function judgementOfOne({ code, syscall, name }: Cause): Judgement | undefined {
  if (syscall === 'connect' || syscall === 'getaddrinfo') return UNSENT
  if (typeof code === 'string') {
    if (Object.hasOwn(BY_CODE, code)) return BY_CODE[code]
    if (OF_THE_CALLER.test(code)) return FOREIGN
    const family = BY_FAMILY.find(([pattern]) => pattern.test(code))
    if (family !== undefined) return family[1]
  }
  // undici 7 gives the parser's error no code where the very first bytes are wrong.
  if (name === 'HTTPParserError') return BROKEN
  return name === 'TimeoutError' ? LATE : undefined
}

function first<T, U>(items: readonly T[], read: (item: T) => U | undefined): U | undefined {
  for (const item of items) {
    const found = read(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** The errors of all addresses of a name, each with its causes: Node tries one after the other. */
function besideOf(causes: readonly Cause[]): readonly (readonly Cause[])[] | undefined {
  const errors = first(causes, (cause) =>
    Array.isArray(cause.errors) && cause.errors.length > 0 ? (cause.errors as unknown[]) : undefined,
  )
  return errors?.slice(0, BESIDE_MAX).map(causesOf)
}

interface Cause {
  readonly code?: unknown
  readonly syscall?: unknown
  readonly name?: unknown
  readonly cause?: unknown
  /** Of an AggregateError. */
  readonly errors?: unknown
}

function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = []
  let next = error
  while (typeof next === 'object' && next !== null && causes.length < CAUSES_MAX) {
    const cause: Cause = next
    causes.push(cause)
    next = cause.cause
  }
  return causes
}
