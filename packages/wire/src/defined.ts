/** Objects without absent members, for types whose optional members may not be undefined. */

/** The members of T that may be undefined become optional, and undefined no more. */
export type Defined<T> = {
  [Name in keyof T as undefined extends T[Name] ? never : Name]: T[Name]
} & {
  [Name in keyof T as undefined extends T[Name] ? Name : never]?: Exclude<T[Name], undefined>
}

/** A copy of the members that are not undefined. */
export function defined<T extends object>(members: T): Defined<T> {
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(members)) if (value !== undefined) copy[name] = value
  return copy as Defined<T>
}
