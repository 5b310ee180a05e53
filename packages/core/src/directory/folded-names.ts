/** Services by their names in lower case, for protocols that do not know case; and which names end with which labels. */
import type { ServiceName } from './listing.js'
import { Ordered } from './ordered.js'

interface Held {
  readonly name: ServiceName
  readonly key: string
}

/**
 * The names that are not in lower case, and those with dots. A name that is neither is not held: it costs nothing here, and
 * reads as itself. They stand in the order of their labels from the last to the first, so that names with a common end
 * are neighbours.
 */
export class FoldedNames {
  private readonly held = new Ordered<Held>(({ key }) => key)

  /** Adds a name; it must not be there. */
  add(name: ServiceName): void {
    if (isHeld(name)) this.held.add({ name, key: keyOf(name) })
  }

  /** Removes a name; it must be there. */
  delete(name: ServiceName): void {
    if (isHeld(name)) this.held.delete(keyOf(name))
  }

  /** The first, in order, of the held names that become these in lower case. */
  find(name: ServiceName): ServiceName | undefined {
    return this.first(`${foldedOf(name)}\0`)?.name
  }

  /** Whether a held name ends with these labels, case aside, and has others before them. */
  isEnd(name: ServiceName): boolean {
    return this.first(`${foldedOf(name)}.`) !== undefined
  }

  private first(prefix: string): Held | undefined {
    const [first] = this.held.from(prefix)
    return first?.key.startsWith(prefix) === true ? first : undefined
  }
}

function isHeld({ namespace, service }: ServiceName): boolean {
  return /[A-Z.]/.test(service) || /[A-Z]/.test(namespace)
}

/** A dot comes after what ends a name, so that a name stands before those that it is the end of. */
function keyOf(name: ServiceName): string {
  return `${foldedOf(name)}\0${name.namespace}/${name.service}`
}

function foldedOf({ namespace, service }: ServiceName): string {
  return `${namespace}/${service.split('.').reverse().join('.')}`.toLowerCase()
}
