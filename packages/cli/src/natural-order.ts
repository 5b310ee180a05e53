/** The order in which people look for names: addresses and numbers by their value, `10.1.0.2` before `10.1.0.100`. Pure. */
import { parseAddress } from '@rollcall/wire'

/** Compares two names, ids or addresses with or without port. Consistent for any texts; equal only where they are the same. */
export function compareNatural(a: string, b: string): number {
  return compareParts(partsOf(a), partsOf(b)) || (a < b ? -1 : a > b ? 1 : 0)
}

/** Numbers, and what stands between them. */
type Part = string | number

function partsOf(text: string): readonly Part[] {
  const [, host = text, port = ''] = /^\[([0-9A-Fa-f:.]+)\](?::(\d+))?$/.exec(text) ?? []
  // IPv6 is hexadecimal: numbered, it follows what begins with other numbers only by its own.
  const bytes = host.includes(':') ? parseAddress(host) : undefined
  if (bytes !== undefined) return [...bytes, ...(port === '' ? [] : [':', Number(port)])]
  return (text.match(/\d+|\D+/g) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part))
}

/** Numbers before texts, and what ends before what goes on. */
function compareParts(a: readonly Part[], b: readonly Part[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [left, right] = [a[at] as Part, b[at] as Part]
    if (left === right) continue
    if (typeof left !== typeof right) return typeof left === 'number' ? -1 : 1
    return left < right ? -1 : 1
  }
  return a.length - b.length
}
