/** Headers of a request with more of them. */
import type { Dispatcher } from 'undici'

type Headers = NonNullable<Dispatcher.DispatchOptions['headers']> | null

/** Headers of a request, in any of the forms that undici takes, and more; those that it has stay. */
export function withHeaders(given: Headers | undefined, more: Readonly<Record<string, string>>): Headers {
  const added = Object.entries(more)
  if (added.length === 0) return given ?? null
  const pairs = pairsOf(given)
  const names = new Set(pairs.map(([name]) => name.toLowerCase()))
  return [...pairs, ...added.filter(([name]) => !names.has(name))].flat() as string[]
}

function pairsOf(headers: Headers | undefined): (readonly [string, unknown])[] {
  if (headers === undefined || headers === null) return []
  if (Array.isArray(headers)) {
    const flat: readonly string[] = headers
    return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]] as const] : []))
  }
  return Symbol.iterator in headers ? [...(headers as Iterable<[string, unknown]>)] : Object.entries(headers)
}
