/** An agent of Consul as a side of a bridge. Never run against a Consul server: only against what facts and clients say of one. */
import { escapeName, RegistryError } from '@rollcall/wire'
import { readEntries, readServiceNames, writeDefinition } from './consul-mapping.js'
import { createForeignHttp, excerpt, LISTED_MAX, outcomeOf, type ForeignDeps } from './foreign-http.js'
import { inTurn } from './in-turn.js'
import { parseAnswer } from './json.js'
import type { SeenInstance } from './records.js'
import type { Side } from './side.js'

export interface ConsulSideOptions {
  /** Agents, without the path: `http://127.0.0.1:8500`. */
  readonly urls: readonly string[]
  readonly timeoutMs: number
  readonly token: string | undefined
}

export function createConsulSide(deps: ForeignDeps, { urls, timeoutMs, token }: ConsulSideOptions): Side {
  const headers: Record<string, string> = token === undefined ? {} : { 'x-consul-token': token }
  const http = createForeignHttp(deps, { name: 'Consul', urls, timeoutMs, headers })
  const shown = urls.map((url) => new URL(url).origin).join(', ')
  const hint = `${shown} does not answer like Consul; name an agent, such as http://127.0.0.1:8500`
  const read = async (path: string): Promise<unknown> => {
    const { status, text } = await http.send('GET', path)
    if (status === 403)
      throw new RegistryError('protocol', `Consul refuses to list: set CONSUL_HTTP_TOKEN${excerpt(text)}`)
    if (status !== 200) throw new RegistryError('protocol', `${hint} (HTTP ${status})`)
    return parseAnswer(text, hint)
  }
  return {
    kind: 'consul',
    forgets: false,
    renewMs: 20_000,
    // A check that is critical by order would be deregistered: what is not up is not there.
    fit: (seen) => (seen.standing === 'up' ? seen : undefined),
    async list(isWanted) {
      const names = readServiceNames(await read('/v1/catalog/services'))?.filter((name) =>
        isWanted(escapeName(name) ?? name),
      )
      if (names === undefined) throw new RegistryError('protocol', hint)
      const instances: SeenInstance[] = []
      let unreadable = 0
      await inTurn(
        names,
        () => false,
        async (name) => {
          for (const seen of readEntries(await read(`/v1/health/service/${encodeURIComponent(name)}`))) {
            if (seen === undefined) unreadable++
            else instances.push(seen)
          }
          if (instances.length > LISTED_MAX)
            throw new RegistryError('protocol', `Consul lists more than ${LISTED_MAX} instances`)
        },
      )
      return { instances, unreadable, stale: false }
    },
    register: (items, late, done) =>
      inTurn(items, late, async (mirror) => {
        const definition = writeDefinition(mirror)
        const { status, text } = await http.send('PUT', '/v1/agent/service/register', definition, true)
        done(mirror, status < 300 ? 'done' : { refused: `HTTP ${status}${excerpt(text)}` })
      }),
    renew: (items, late, done) =>
      inTurn(items, late, async (mirror) => {
        const check = encodeURIComponent(`service:${mirror.id}`)
        const answer = await http.send('PUT', `/v1/agent/check/pass/${check}`, undefined, true)
        done(mirror, outcomeOf('Consul', answer, isUnknown))
      }),
    remove: (items, late, done) =>
      inTurn(items, late, async (mirror) => {
        const path = `/v1/agent/service/deregister/${encodeURIComponent(mirror.id)}`
        outcomeOf('Consul', await http.send('PUT', path), isUnknown)
        done(mirror, 'done')
      }),
  }
}

/** Releases differ in how they say that a check is not known. */
function isUnknown(status: number, text: string): boolean {
  return status === 404 || (status === 500 && /unknown (check|service)|associated TTL/i.test(text))
}
