/** Requests that set a scenario up or check it; none of them is measured. */
import { request } from 'node:http'
import { createApi } from '@rollcall/wire/http-client'
import type { BareAnswer } from '../programs/bare-http.js'

/** Sends JSON; resolves to the body of the answer, rejects unless it is 200. */
export async function postJson(url: string, path: string, value: unknown): Promise<string> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  })
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 500)}`)
  return body
}

/** Reads JSON; rejects unless the answer is 200. */
export async function getJson(
  url: string,
  path: string,
): Promise<{ readonly body: string; readonly etag: string }> {
  const response = await fetch(url + path)
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 500)}`)
  return { body, etag: response.headers.get('etag') ?? '' }
}

/** A request as it is, and its answer as a bare server can send it; rejects unless that is 200 or 204. */
export function answerOf(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<BareAnswer> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const { statusCode: status = 0, rawHeaders } = response
        const bytes = Buffer.concat(chunks)
        if (status === 200 || status === 204) resolve({ status, body: bytes, headers: told(rawHeaders) })
        else reject(new Error(`${method} ${path} answered ${status}: ${bytes.toString().slice(0, 500)}`))
      })
    })
      .once('error', reject)
      .end(body)
  })
}

/** How it is asked. */
export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The headers that Node does not send by itself, as names and values in turn. */
function told(rawHeaders: readonly string[]): string[] {
  const own = new Set(['date', 'connection', 'keep-alive', 'content-length'])
  return rawHeaders.filter((_, index) => !own.has((rawHeaders[index - (index % 2)] ?? '').toLowerCase()))
}

/** How many instances a node lists, in any state. */
export async function instancesOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(/^rollcall_instances\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
}

/** The sign of every service, by name. */
export async function signsOf(url: string): Promise<Map<string, string>> {
  const api = createApi(fetch, { base: url })
  const signs = new Map<string, string>()
  for (let after: string | undefined; ;) {
    const { services, next } = await api.call('listServices', { limit: 500, after })
    for (const { service, sign } of services) signs.set(service, sign)
    if (next === undefined) return signs
    after = next
  }
}
