/** The answer of an instance as a `Response`. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Instance } from '@rollcall/wire'
import { judgeError } from './judgement.js'
import { onAbort } from './signals.js'
import { abortedError } from '../machine/errors.js'

const BODILESS_STATUS = new Set([204, 205, 304])

/** An answer, and what it answers. */
export interface Answered {
  readonly message: IncomingMessage
  readonly method: string
  readonly instance: Instance
  readonly path: string
  /** The caller's: aborting it ends the body too. */
  readonly signal: AbortSignal | undefined
}

/**
 * A standard Response over the message of node:http. Redirects are not followed and encodings not decoded. `broken`
 * is told when the body breaks off by itself.
 */
export function responseOf(answered: Answered, broken: () => void): Response {
  const { message, method, instance, path } = answered
  const headers = new Headers()
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2)
    headers.append(message.rawHeaders[index]!, message.rawHeaders[index + 1]!)
  const status = message.statusCode ?? 502
  const bodiless = method === 'HEAD' || BODILESS_STATUS.has(status)
  if (bodiless) message.resume()
  else follow(answered, broken)
  const body = bodiless ? null : (Readable.toWeb(message) as ReadableStream<Uint8Array>)
  const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host
  return withFacts(new Response(body, { headers }), {
    status,
    ok: status >= 200 && status < 300,
    statusText: message.statusMessage ?? '',
    url: `${instance.protocol === 'https' ? 'https' : 'http'}://${host}:${instance.port}${path}`,
  })
}

/**
 * Says of a response what came: its constructor knows no URL and fewer statuses than HTTP has, which are numbers up to
 * 999.
 */
function withFacts(
  response: Response,
  facts: Readonly<Pick<Response, 'status' | 'ok' | 'statusText' | 'url'>>,
): Response {
  for (const [name, value] of Object.entries(facts)) Object.defineProperty(response, name, { value })
  const clone = response.clone.bind(response)
  Object.defineProperty(response, 'clone', { value: () => withFacts(clone(), facts) })
  return response
}

function follow({ message, signal }: Answered, broken: () => void): void {
  const abort = (): void => {
    if (signal !== undefined) message.destroy(abortedError(signal))
  }
  message.once('error', (error) => {
    // A reader that has read enough ends the body with an error too.
    if (judgeError(error).outcome === 'unreachable') broken()
  })
  if (signal === undefined) return
  if (signal.aborted) return abort()
  message.once('close', onAbort(signal, abort))
}
