/** One byte string for one value: what decides between two values of the same version. Pure. */

/** Of two values the one whose encoding is larger, whichever side it is on. */
export function larger<T>(a: T, b: T): T {
  return encode(a) >= encode(b) ? a : b
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
