/** Services in order of namespace and name: reading from any of them on costs what is read. */
import { NAME_PATTERN, RegistryError } from '@rollcall/wire'
import { Ordered } from './ordered.js'

export interface ListingQuery {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly prefix?: string
  /** Read on after this `next` token. */
  readonly after?: string
}

/** A service by its names, and a place in the list: after it. */
export interface ServiceName {
  readonly namespace: string
  readonly service: string
}

interface NamespaceServices<T> {
  readonly namespace: string
  readonly services: Ordered<T>
  size: number
}

export class Listing<T extends ServiceName> {
  private readonly namespaces = new Ordered<NamespaceServices<T>>(({ namespace }) => namespace)
  /** Services held. */
  size = 0
  /** Namespaces with a service. */
  namespaceCount = 0

  /** Adds a service; it must not be there. */
  add(node: T): void {
    this.size++
    let found = this.namespaces.get(node.namespace)
    if (found === undefined) {
      found = { namespace: node.namespace, services: new Ordered(({ service }) => service), size: 0 }
      this.namespaces.add(found)
      this.namespaceCount++
    }
    found.size++
    found.services.add(node)
  }

  /** Removes a service; it must be there. */
  delete({ namespace, service }: ServiceName): void {
    this.size--
    const found = this.namespaces.get(namespace)
    if (found === undefined) return
    found.services.delete(service)
    if (--found.size > 0) return
    this.namespaces.delete(namespace)
    this.namespaceCount--
  }

  /** Services of a namespace. */
  sizeOf(namespace: string): number {
    return this.namespaces.get(namespace)?.size ?? 0
  }

  /** Namespaces with a service, from a name on, in order. Nothing may be listed or hidden meanwhile. */
  *namespacesFrom(name: string): IterableIterator<string> {
    for (const { namespace } of this.namespaces.from(name)) yield namespace
  }

  /** What matches, in order. Nothing may be listed or hidden meanwhile. */
  *matching({ namespace, prefix = '', after }: ListingQuery): IterableIterator<T> {
    const begin = after === undefined ? undefined : parseToken(after, namespace)
    if (namespace !== undefined) {
      const found = this.namespaces.get(namespace)
      if (found !== undefined) yield* matchingIn(found, prefix, begin)
      return
    }
    for (const found of this.namespaces.from(begin?.namespace ?? '')) yield* matchingIn(found, prefix, begin)
  }
}

export function tokenOf({ namespace, service }: ServiceName): string {
  return `${namespace}/${service}`
}

/** The place that a token names: one of these lists, in the namespace that is asked for. */
function parseToken(token: string, asked: string | undefined): ServiceName {
  const [namespace = '', service = '', ...rest] = token.split('/')
  const isPlace = NAME_PATTERN.test(namespace) && NAME_PATTERN.test(service) && rest.length === 0
  if (isPlace && (asked === undefined || asked === namespace)) return { namespace, service }
  throw noToken()
}

/** For what was not handed out as `next` of the page before: who pages by it would miss what there is. */
export function noToken(): RegistryError {
  return new RegistryError(
    'invalid_argument',
    'after must be `next` of the page before, for the same question',
    {
      field: 'after',
    },
  )
}

function* matchingIn<T extends ServiceName>(
  { namespace, services }: NamespaceServices<T>,
  prefix: string,
  begin: ServiceName | undefined,
): IterableIterator<T> {
  if (begin !== undefined && namespace < begin.namespace) return
  const after = begin?.namespace === namespace ? begin.service : undefined
  for (const node of services.from(after === undefined || after < prefix ? prefix : after)) {
    if (!node.service.startsWith(prefix)) return
    if (node.service !== after) yield node
  }
}
