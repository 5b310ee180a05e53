/**
 * Log lines about callers that are refused: who, from where, what and why. A name or a page that is not let in is told once;
 * what may pass is told again after a minute, with how often it happened. What a caller has to correct by itself is not told.
 */
import type { Clock, Logger, RefusalLog } from '@rollcall/core'
import type { ErrorBody, ErrorCode } from '@rollcall/wire'
import { createBoundedLog } from './bounded-log.js'

/** Distinct refusals that are remembered. Beyond it all are forgotten, and told once more. */
const REMEMBERED_MAX = 1_000
const KEY_CHARS_MAX = 512

/** What may pass is told again after this. */
const REPEAT_MS = 60_000

/** At most so many lines in so long, whatever comes. */
const LINES = { linesMax: 20, windowMs: 10_000, about: 'refused callers' }

/** How a refusal is told. */
interface Telling {
  readonly level: 'warn' | 'info'
  readonly message: string
  /** Told again after a while; otherwise it stays as it is until an operator acts. */
  readonly repeats: boolean
  /** Whether it is another refusal where it comes from elsewhere. */
  readonly perPeer: boolean
}

const ADMISSION = { level: 'info', repeats: true, perPeer: true } as const

const TELLINGS: Partial<Record<ErrorCode, Telling>> = {
  forbidden_host: {
    level: 'warn',
    message: 'refused a host name; --allowed-hosts NAME (allowedHosts) lets callers use it',
    repeats: false,
    perPeer: false,
  },
  forbidden_origin: {
    level: 'warn',
    message: 'refused a request of a page of another origin',
    repeats: false,
    perPeer: false,
  },
  limit_exceeded: {
    level: 'warn',
    message: 'refused by a limit',
    repeats: true,
    perPeer: true,
  },
  namespace_not_allowed: { ...ADMISSION, message: 'refused by the allow list of the namespace' },
  service_not_allowed: { ...ADMISSION, message: 'refused by the allow list of the service' },
  service_not_declared: { ...ADMISSION, message: 'refused a service that is not declared' },
  group_not_declared: { ...ADMISSION, message: 'refused a group that is not declared' },
}

interface Remembered {
  toldAt: number
  /** Since it was told. */
  times: number
}

/** Creates the log of refusals. */
export function createRefusalLog(deps: { readonly clock: Clock; readonly logger: Logger }): RefusalLog {
  const { clock } = deps
  const write = createBoundedLog(deps, LINES)
  const remembered = new Map<string, Remembered>()
  return {
    note(error, peer) {
      const telling = TELLINGS[error.code]
      if (telling === undefined) return
      const { level, message, repeats, perPeer } = telling
      const subject = subjectOf(error)
      const key = `${error.code} ${perPeer ? peer : ''} ${subject.key}`.slice(0, KEY_CHARS_MAX)
      const now = clock.now()
      const before = remembered.get(key)
      if (before !== undefined && (!repeats || now - before.toldAt < REPEAT_MS)) {
        before.times++
        return
      }
      if (remembered.size >= REMEMBERED_MAX) remembered.clear()
      remembered.set(key, { toldAt: now, times: 0 })
      const times = before === undefined || before.times === 0 ? {} : { times: before.times + 1 }
      write(level, { code: error.code, peer, ...subject.fields, ...times }, message)
    },
  }
}

/** What a refusal is about: by it refusals are told apart, and so it is told. */
function subjectOf({ code, message, details = {} }: ErrorBody): {
  readonly key: string
  readonly fields: Readonly<Record<string, unknown>>
} {
  const { host, origin, quota, max, over } = details
  switch (code) {
    case 'forbidden_host':
      return { key: String(host), fields: { host } }
    case 'forbidden_origin':
      return { key: String(origin), fields: { origin, host } }
    case 'limit_exceeded':
      return { key: `${String(quota)} ${String(over)}`, fields: { quota, max, over } }
    default:
      return { key: message, fields: { reason: message } }
  }
}
