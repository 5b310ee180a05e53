/** Eureka's servers as a side of a bridge. */
import { RegistryError } from '@rollcall/wire'
import { appOf, readApplications, writeInstance } from './eureka-mapping.js'
import { createForeignHttp, excerpt, outcomeOf, type ForeignDeps } from './foreign-http.js'
import { inTurn } from './in-turn.js'
import { parseAnswer } from './json.js'
import type { MirroredInstance } from './records.js'
import type { Side } from './side.js'

export interface EurekaSideOptions {
  /** With the path at which Eureka is served, such as `http://10.0.0.1:8761/eureka`. */
  readonly urls: readonly string[]
  readonly timeoutMs: number
}

export function createEurekaSide(deps: ForeignDeps, { urls, timeoutMs }: EurekaSideOptions): Side {
  const http = createForeignHttp(deps, { name: 'Eureka', urls, timeoutMs, headers: {} })
  const pathOf = (mirror: MirroredInstance): string =>
    `/apps/${encodeURIComponent(appOf(mirror))}/${encodeURIComponent(mirror.id)}`
  const shown = urls.map((url) => new URL(url)).map(({ origin, pathname }) => origin + pathname)
  const hint = `${shown.join(', ')} does not answer like Eureka; name the URL that clients have as defaultZone, such as http://127.0.0.1:8761/eureka`
  return {
    kind: 'eureka',
    forgets: true,
    renewMs: 20_000,
    fit: (seen) => seen,
    async list() {
      const { status, text } = await http.send('GET', '/apps/')
      if (status === 403) throw new RegistryError('not_ready', 'Eureka does not list yet (HTTP 403)')
      if (status === 401)
        throw new RegistryError('protocol', 'Eureka asks for a password: http://USER:PASSWORD@HOST')
      if (status !== 200) throw new RegistryError('protocol', `${hint} (HTTP ${status})`)
      return readApplications(parseAnswer(text, hint), hint)
    },
    register: (items, late, done) =>
      inTurn(items, late, async (mirror) => {
        const body = writeInstance(mirror, deps.clock.wallNow())
        const path = `/apps/${encodeURIComponent(appOf(mirror))}`
        const { status, text } = await http.send('POST', path, body, true)
        done(mirror, status < 300 ? 'done' : { refused: `HTTP ${status}${excerpt(text)}` })
      }),
    renew: (items, late, done) =>
      inTurn(items, late, async (mirror) => {
        done(mirror, outcomeOf('Eureka', await http.send('PUT', pathOf(mirror)), isUnknown))
      }),
    remove: (items, late, done) =>
      inTurn(items, late, async (mirror) => {
        outcomeOf('Eureka', await http.send('DELETE', pathOf(mirror)), isUnknown)
        done(mirror, 'done')
      }),
  }
}

function isUnknown(status: number): boolean {
  return status === 404
}
