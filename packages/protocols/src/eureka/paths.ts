/** What a request asks for, by method and path. Pure. */
import { RegistryError } from '@rollcall/wire'

/** What changes one instance. */
export interface EurekaChange {
  readonly kind: 'renew' | 'cancel' | 'putStatus' | 'deleteStatus' | 'putMetadata'
  readonly app: string
  readonly id: string
}

/** What is only read. */
export type EurekaLookup =
  | { readonly kind: 'all' | 'delta' | 'status' }
  | { readonly kind: 'instance'; readonly app: string; readonly id: string }
  | { readonly kind: 'application'; readonly app: string }
  | { readonly kind: 'anywhere'; readonly id: string }
  | { readonly kind: 'vip' | 'secureVip'; readonly vip: string }

/** An operation with what its path names. */
type Operation = { readonly kind: 'register'; readonly app: string } | EurekaChange | EurekaLookup

export interface EurekaAsked {
  readonly operation: Operation
  /** Of a repeated name the first, as Eureka's server reads it. */
  readonly query: ReadonlyMap<string, string>
}

/** A URL that is longer is no one's of a client. */
const URL_CHARS_MAX = 16_384

/** Reads a request. Throws `unknown_path`, or `method_not_allowed` where another method has a meaning. */
export function readAsked(method: string, url: string): EurekaAsked {
  if (url.length > URL_CHARS_MAX) throw unknownPath()
  const [path = '', ...rest] = url.split('?')
  const segments = segmentsOf(path)
  const methods = operationsAt(segments)
  if (methods === undefined) throw unknownPath()
  const name = method === 'HEAD' ? 'GET' : method
  const operation = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (operation === undefined) {
    const allow = Object.keys(methods)
    throw new RegistryError('method_not_allowed', `this path takes ${allow.join(', ')}`, {
      details: { allow },
    })
  }
  return { operation, query: queryOf(rest.join('?')) }
}

/** Parts of the path behind the base, which is `/eureka`, with or without the version of Netflix' own server. */
function segmentsOf(path: string): readonly string[] {
  const [base, ...segments] = path.split('/').filter((segment) => segment !== '')
  if (base !== 'eureka') throw unknownPath()
  const version = segments[0]
  return (version === 'v2' || version === 'v1' ? segments.slice(1) : segments).map(decoded)
}

type Methods = Readonly<Partial<Record<string, Operation>>>

function operationsAt([root, first, second, third, ...more]: readonly string[]): Methods | undefined {
  if (more.length > 0) return undefined
  if (root === 'apps') return appsAt(first, second, third)
  if (third !== undefined) return undefined
  if (root === 'status' && first === undefined) return { GET: { kind: 'status' } }
  if (first === undefined || second !== undefined) return undefined
  if (root === 'instances') return { GET: { kind: 'anywhere', id: first } }
  if (root === 'vips') return { GET: { kind: 'vip', vip: first } }
  return root === 'svips' ? { GET: { kind: 'secureVip', vip: first } } : undefined
}

function appsAt(
  app: string | undefined,
  id: string | undefined,
  part: string | undefined,
): Methods | undefined {
  if (app === undefined) return { GET: { kind: 'all' } }
  if (id === undefined) {
    return {
      GET: app === 'delta' ? { kind: 'delta' } : { kind: 'application', app },
      POST: { kind: 'register', app },
    }
  }
  const names = { app, id }
  switch (part) {
    case undefined:
      return {
        GET: { kind: 'instance', ...names },
        PUT: { kind: 'renew', ...names },
        DELETE: { kind: 'cancel', ...names },
      }
    case 'status':
      return { PUT: { kind: 'putStatus', ...names }, DELETE: { kind: 'deleteStatus', ...names } }
    case 'metadata':
      return { PUT: { kind: 'putMetadata', ...names } }
    default:
      return undefined
  }
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw unknownPath()
  }
}

const NO_QUERY: ReadonlyMap<string, string> = new Map()

function queryOf(text: string): ReadonlyMap<string, string> {
  if (text === '') return NO_QUERY
  const query = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) if (!query.has(name)) query.set(name, value)
  return query
}

function unknownPath(): RegistryError {
  return new RegistryError('unknown_path', 'Eureka is at /eureka/apps')
}
