/** Planted bugs by typed access: a refactoring that breaks one does not compile. */

/** Names of the public methods of `T`. */
type MethodOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T]
type Args<F> = F extends (...args: infer A) => unknown ? A : never
type Answer<F> = F extends (...args: never[]) => infer R ? R : never

/**
 * Replaces a method of an object or, by its prototype, of all of a class. `change` is given the original and the owner.
 * The returned function puts the original back.
 */
export function replace<T extends object, K extends MethodOf<T>>(
  owner: T,
  name: K,
  change: (original: (...args: Args<T[K]>) => Answer<T[K]>, self: T, ...args: Args<T[K]>) => Answer<T[K]>,
): () => void {
  const method = owner[name] as (this: T, ...args: Args<T[K]>) => Answer<T[K]>
  const replacement = function (this: T, ...args: Args<T[K]>): Answer<T[K]> {
    return change((...given) => method.apply(this, given), this, ...args)
  }
  Reflect.set(owner, name, replacement)
  return () => Reflect.set(owner, name, method)
}
