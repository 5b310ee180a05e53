/** `/v1/kv`: the least that clients of a registry need of it. */
import { requireLoaded } from '../../http/loaded.js'
import { viaConsul } from '../caller.js'
import { refusal } from '../errors.js'
import type { StoredPair, Stored } from '../key-values.js'
import {
  ANY_BODY,
  blocking,
  type Call,
  type ConsulHandlerDeps,
  type HandlerRoutes,
  type Scope,
} from './deps.js'

const BYTES_TYPE = 'application/octet-stream'

export function createKv(deps: ConsulHandlerDeps): HandlerRoutes {
  return {
    '/v1/kv/*': {
      GET: (call) => get(deps, call),
      PUT: (call) => put(deps, call),
      DELETE: (call) => remove(deps, call),
    },
  }
}

function get(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  requireLoaded(deps.life)
  const { exchange, rest, query } = call
  const { keyValues } = deps
  const below = query.has('recurse') || query.has('keys')
  if (rest === '' && !below) throw refusal(400, 'Missing key name')
  // With nothing there, too, the next request has to wait: Fabio asks again at once.
  const scope: Scope = {
    index: () => keyValues.index,
    patience: (seen, timeoutMs) => keyValues.patience(seen, timeoutMs),
    wait: (timeoutMs) => keyValues.wait(rest, !below, timeoutMs),
  }
  return blocking(deps, call, scope, () => {
    const one = keyValues.get(rest)
    const found = below ? keyValues.below(rest) : one === undefined ? [] : [one]
    if (found.length === 0) return exchange.empty(404)
    if (query.has('keys')) return exchange.json(200, keysOf(found, rest, query.get('separator') ?? ''))
    if (query.has('raw') && one !== undefined) return exchange.bytes(200, BYTES_TYPE, one.value)
    exchange.json(200, found.map(pairShape))
  })
}

/** With a separator only the next part of each name, once. */
function keysOf(found: readonly StoredPair[], prefix: string, separator: string): readonly string[] {
  const names = found.map(({ key }) => {
    const at = separator === '' ? -1 : key.indexOf(separator, prefix.length)
    return at < 0 ? key : key.slice(0, at + separator.length)
  })
  return [...new Set(names)]
}

function pairShape({ key, value, flags, createIndex, modifyIndex }: StoredPair): object {
  return {
    LockIndex: 0,
    Key: key,
    Flags: flags,
    Value: value.length === 0 ? null : value.toString('base64'),
    CreateIndex: createIndex,
    ModifyIndex: modifyIndex,
  }
}

function put(deps: ConsulHandlerDeps, { exchange, rest, query }: Call): void {
  requireLoaded(deps.life)
  if (rest === '') throw refusal(400, 'Missing key name')
  if (query.has('acquire') || query.has('release'))
    throw refusal(400, 'Rollcall has no sessions: keys cannot be locked')
  const flags = numberOf(query, 'flags') ?? 0
  const cas = numberOf(query, 'cas')
  exchange.rawBody(
    ANY_BODY,
    async (value) => {
      const stored = await deps.keyValues.put(rest, value, { flags, cas }, viaConsul(exchange.caller))
      const words = REFUSED[stored]
      if (words !== undefined) throw refusal(stored === 'large' ? 413 : 500, words)
      exchange.json(200, stored === 'stored')
    },
    deps.options.bodyBytesMax,
  )
}

const REFUSED: Readonly<Partial<Record<Stored, string>>> = {
  full: 'The key-value store of Rollcall is full: it is meant for a few settings',
  large: 'Request body too large: the key-value store of Rollcall is meant for a few settings',
}

async function remove(deps: ConsulHandlerDeps, { exchange, rest, query }: Call): Promise<void> {
  requireLoaded(deps.life)
  if (rest === '' && !query.has('recurse')) throw refusal(400, 'Missing key name')
  const caller = viaConsul(exchange.caller)
  const { keyValues } = deps
  exchange.json(200, await keyValues.delete(rest, query.has('recurse'), numberOf(query, 'cas'), caller))
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (!/^\d{1,16}$/.test(text)) throw refusal(400, `Invalid ${name}`)
  return Number(text)
}
