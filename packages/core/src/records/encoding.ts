/** One byte string for one value: what decides between two values of the same version. Pure. */

/**
 * Of two values the one whose encoding is larger, whichever side it is on: the longer one, so that what a replica of an
 * earlier release lost of a value comes back; then the one that sorts later. Returns `a` where both are the same.
 */
export function larger<T>(a: T, b: T): T {
  if (isSame(a, b)) return a
  const first = encode(a)
  const second = encode(b)
  if (first.length !== second.length) return first.length > second.length ? a : b
  return first >= second ? a : b
}

/** Whether two values have one encoding, without making it: members in any order, and those that are undefined are absent. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, index) => isSame(item, b[index]))
  }
  return membersAgree(a as Members, b as Members)
}

type Members = Readonly<Record<string, unknown>>

function membersAgree(a: Members, b: Members): boolean {
  for (const name in a) if (a[name] !== undefined && !isSame(a[name], b[name])) return false
  for (const name in b) if (b[name] !== undefined && a[name] === undefined) return false
  return true
}

/** JSON with sorted keys: one byte string for one value, whatever order its members were built in. */
export function encode(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members: string[] = []
    for (const name of Object.keys(value).sort()) {
      const member = (value as Readonly<Record<string, unknown>>)[name]
      if (member !== undefined) members.push(`${JSON.stringify(name)}:${encode(member)}`)
    }
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value)
}
