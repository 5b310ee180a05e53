/** From method and path to a handler. An id may hold anything: it is the rest of the path, decoded as one. Pure. */
import { RegistryError } from '@rollcall/wire'
import { refusal } from './errors.js'

/** Where a request leads. */
export interface Found<H> {
  readonly handler: H
  /** What the path says beyond the route, decoded. */
  readonly rest: string
  readonly query: URLSearchParams
}

export type PathMethod = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** A path, whole or, with `*` at the end, all that begin with it; and what each method does there. */
export type Routes<H> = Readonly<Record<string, Readonly<Partial<Record<PathMethod, H>>>>>

export interface PathRouter<H> {
  /** Throws 404 for paths of nothing, 405 with what is allowed there, and 400 for a path that cannot be decoded. */
  find(method: string, url: string): Found<H>
  /** The methods of a path, for OPTIONS. */
  allowed(url: string): readonly string[]
}

export function createRouter<H>(routes: Routes<H>): PathRouter<H> {
  const exact = new Map(Object.entries(routes).filter(([path]) => !path.endsWith('*')))
  // The longest comes first: `deregister/` before the ids of services.
  const open = Object.entries(routes)
    .filter(([path]) => path.endsWith('*'))
    .map(([path, methods]) => ({ prefix: path.slice(0, -1), methods }))
    .sort((a, b) => b.prefix.length - a.prefix.length)
  const lookUp = (path: string): { methods: Routes<H>[string]; rest: string } => {
    const whole = exact.get(path)
    if (whole !== undefined) return { methods: whole, rest: '' }
    const found = open.find(({ prefix }) => path.startsWith(prefix))
    if (found === undefined) throw refusal(404, 'Invalid URL path: not a recognized HTTP API endpoint')
    return { methods: found.methods, rest: path.slice(found.prefix.length) }
  }
  return {
    find(method, url) {
      const { path, query } = split(url)
      const { methods, rest } = lookUp(path)
      const handler = methods[(method === 'HEAD' ? 'GET' : method) as PathMethod]
      if (handler === undefined || !Object.hasOwn(methods, method === 'HEAD' ? 'GET' : method))
        throw new RegistryError('method_not_allowed', `method ${method} not allowed`, {
          details: { allow: ['OPTIONS', ...Object.keys(methods)] },
        })
      return { handler, rest: decoded(rest), query }
    },
    allowed(url) {
      return ['OPTIONS', ...Object.keys(lookUp(split(url).path).methods)]
    },
  }
}

function split(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf('?')
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refusal(400, 'Invalid URL path: it cannot be decoded')
  }
}
