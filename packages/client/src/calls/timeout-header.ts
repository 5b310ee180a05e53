/** The header that tells an instance how long its caller waits. */
import type { IncomingHttpHeaders } from 'node:http'

/** Tells a provider how many milliseconds its caller will go on waiting. */
export const TIMEOUT_HEADER = 'x-rollcall-timeout-ms'

/** Longer deadlines are none: a day. */
const TIMEOUT_MS_MAX = 86_400_000

/** Adds what is left of a deadline to the headers of a request; one that the caller set stays. */
export function withTimeout(
  headers: Readonly<Record<string, string>>,
  name: string | false,
  timeoutMs: number | undefined,
): Readonly<Record<string, string>> {
  if (name === false || timeoutMs === undefined || headers[name.toLowerCase()] !== undefined) return headers
  return { ...headers, [name.toLowerCase()]: String(Math.ceil(timeoutMs)) }
}

/**
 * How long the caller of a request goes on waiting, in milliseconds, as it said in `x-rollcall-timeout-ms`: pass it on as
 * `timeoutMs` of the calls made for it. Undefined when it said nothing, or nothing that can be: whole milliseconds up to
 * a day.
 */
export function callerTimeoutMs(headers: IncomingHttpHeaders | Headers): number | undefined {
  const text = headers instanceof Headers ? headers.get(TIMEOUT_HEADER) : headers[TIMEOUT_HEADER]
  if (typeof text !== 'string' || !/^\d{1,8}$/.test(text)) return undefined
  const timeoutMs = Number(text)
  return timeoutMs > TIMEOUT_MS_MAX ? undefined : timeoutMs
}
