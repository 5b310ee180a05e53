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

/** Codes of Node and undici. Without a connection nothing was sent, whatever the reason. */
const BY_CODE: Readonly<Record<string, Judgement>> = {
  ECONNREFUSED: UNSENT,
  ENOTFOUND: UNSENT,
  EAI_AGAIN: UNSENT,
  UND_ERR_CONNECT_TIMEOUT: UNSENT,
  ECONNRESET: BROKEN,
  ECONNABORTED: BROKEN,
  EPIPE: BROKEN,
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

/** Errors wrap errors; deeper than this they are not looked at. */
const CAUSES_MAX = 5

/**
 * What an error of Node's sockets, of `fetch` or of a library above them means, by its `code`, or those of its
 * causes: a connection that was not made, one that broke, an answer that came too late. Anything else is an
 * answer: it is handed to the caller, and neither repeated nor held against the instance.
 */
export function judgeError(error: unknown): Judgement {
  for (const { code, syscall, name } of causesOf(error)) {
    if (syscall === 'connect' || syscall === 'getaddrinfo') return UNSENT
    if (typeof code === 'string' && Object.hasOwn(BY_CODE, code)) return BY_CODE[code]!
    if (name === 'TimeoutError') return LATE
  }
  return FOREIGN
}

/** Whether the other side said no at once: an attempt that cost no time. */
export function isRefusal(error: unknown): boolean {
  return causesOf(error).some(({ code }) => code === 'ECONNREFUSED')
}

interface Cause {
  readonly code?: unknown
  readonly syscall?: unknown
  readonly name?: unknown
  readonly cause?: unknown
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
