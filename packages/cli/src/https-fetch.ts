/** `fetch` with certificates of one's own, for which Node's own has no options. */
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { TlsOptions } from '@rollcall/client'
import type { Fetch } from './shell.js'

/**
 * A fetch for `https` URLs that goes by these options; other URLs go where they went before. Rejects with `invalid_argument`
 * for options that cannot work.
 */
export function withTls(fetch: Fetch, tls: TlsOptions): Fetch {
  return async (url, init) => {
    // Loaded only here: most commands do without the SDK.
    const { nodeTls } = await import('@rollcall/client')
    const checked = nodeTls(tls)
    if (!url.startsWith('https:')) return fetch(url, init)
    const { body, redirect: _neverFollowed, ...options } = init
    return new Promise((resolve, reject) => {
      const request = httpsRequest(url, { ...options, ...checked, agent: false })
      request.once('error', reject)
      request.once('response', (response) => {
        const status = response.statusCode ?? 0
        resolve({
          ok: status >= 200 && status < 300,
          status,
          headers: { get: (name) => response.headers[name.toLowerCase()]?.toString() ?? null },
          body: Readable.toWeb(response),
        })
      })
      request.end(body)
    })
  }
}
