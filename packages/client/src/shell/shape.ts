/**
 * Checks of what comes from outside, as small predicates: a frame is taken as a whole or not at all, so that nothing
 * behind it has to doubt a type. More members than those named may be there; they are of newer nodes.
 */
export type Check = (value: unknown) => boolean

/** A string of at most so many UTF-16 code units. */
export function text(charsMax: number): Check {
  return (value) => typeof value === 'string' && value.length <= charsMax
}

/** A number, but neither NaN nor infinite, which `1e999` is. */
export const number: Check = Number.isFinite

/** A whole number from 0 on that is exact. */
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0

/** True or false. */
export const flag: Check = (value) => typeof value === 'boolean'

/** Absent, or this. */
export function optional(check: Check): Check {
  return (value) => value === undefined || check(value)
}

/** A list of these. */
export function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check)
}

/** An object with these members. */
export function object(members: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(members)
  return (value) => isObject(value) && entries.every(([name, check]) => check(Reflect.get(value, name)))
}

/** An object whose values are strings, names and values together of at most so many code units. */
export function texts(charsMax: number): Check {
  return (value) => {
    if (!isObject(value)) return false
    let chars = 0
    for (const [name, item] of Object.entries(value)) {
      if (typeof item !== 'string') return false
      chars += name.length + item.length
    }
    return chars <= charsMax
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
