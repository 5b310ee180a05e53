/**
 * Behind the doors of the code under test, for planted bugs and for counting what piles up. A name that no longer
 * leads anywhere is our mistake, and said loudly: a mutation that changes nothing must not pass for one that was found.
 */

/** Anything with members. */
export type Inner = Record<string, unknown>

/** What is found by following names from `root`, such as `node.liveness.clock`. */
export function inside(root: unknown, path: string): unknown {
  let value: unknown = root
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !(name in value)) {
      throw new Error(`${path} leads nowhere at ${name}`)
    }
    value = Reflect.get(value, name)
  }
  return value
}

/** The same, when it has members. */
export function partOf(root: unknown, path: string): Inner {
  const value = inside(root, path)
  if (typeof value !== 'object' || value === null) throw new Error(`${path} has no members`)
  return value as Inner
}

/**
 * Replaces a method; `change` is given the original, bound to its owner, and runs as a method itself. The returned
 * function puts the original back.
 */
export function replaceMethod<A extends unknown[]>(
  owner: object,
  name: string,
  change: (this: Inner, original: (...args: unknown[]) => unknown, ...args: A) => unknown,
): () => void {
  const original: unknown = Reflect.get(owner, name)
  if (typeof original !== 'function') throw new Error(`there is no method ${name}`)
  const replacement = function (this: Inner, ...args: A): unknown {
    return change.call(this, (...given) => original.apply(this, given) as unknown, ...args)
  }
  Reflect.set(owner, name, replacement)
  return () => Reflect.set(owner, name, original)
}
