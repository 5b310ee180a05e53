/** What a name asks for, by its form alone. Pure. */

/** A zone that is answered for, with its labels in lower case, such as `['rollcall']`. */
export interface Zone {
  readonly labels: readonly string[]
  /** `consul`: names as Consul has them, of this datacenter and node. */
  readonly dialect: 'rollcall' | { readonly datacenter: string; readonly node: string }
}

/** A service and what narrows it, as labels. */
export interface ServiceLabels {
  /** Tags and service, which only the registry can tell apart. At least one. */
  readonly before: readonly string[]
  readonly zone?: string
  readonly group?: string
  readonly namespace?: string
}

/** What is asked for within a zone. `between`: nothing by itself, but names may be below it (RFC 8020). */
export type Asked =
  | { readonly kind: 'zone' | 'nameServer' | 'node' | 'between' | 'nothing' }
  | { readonly kind: 'address'; readonly address: Uint8Array }
  | ({ readonly kind: 'service' } & ServiceLabels)

const BETWEEN: Asked = { kind: 'between' }
const NOTHING: Asked = { kind: 'nothing' }

/** What names of ours are made of, in lower case. A dot within a label would pass for two labels. */
const PLAIN = /^[a-z0-9_-]+$/

/** The zone that a name is in; of several the longest. */
export function zoneOf<T extends Zone>(labels: readonly string[], zones: readonly T[]): T | undefined {
  let found: T | undefined
  for (const zone of zones)
    if (endsWith(labels, zone.labels) && zone.labels.length > (found?.labels.length ?? 0)) found = zone
  return found
}

function endsWith(labels: readonly string[], end: readonly string[]): boolean {
  const begin = labels.length - end.length
  return begin >= 0 && end.every((label, place) => labels[begin + place] === label)
}

/** What a name in a zone asks for. */
export function readName(labels: readonly string[], zone: Zone): Asked {
  const inner = labels.slice(0, labels.length - zone.labels.length)
  if (inner.length === 0) return { kind: 'zone' }
  if (!inner.every((label) => PLAIN.test(label))) return NOTHING
  if (inner.length === 1 && inner[0] === 'ns') return { kind: 'nameServer' }
  return zone.dialect === 'rollcall' ? readOwn(inner) : readConsul(inner, zone.dialect)
}

function readOwn(labels: readonly string[]): Asked {
  if (labels.at(-1) === 'addr') return readAddress(labels.slice(0, -1))
  for (let at = labels.length - 1; at >= 0; at--) {
    if (labels[at] !== 'service') continue
    const narrowed = readNarrowing(labels.slice(at + 1))
    if (narrowed === undefined) continue
    return at === 0 ? BETWEEN : { kind: 'service', before: labels.slice(0, at), ...narrowed }
  }
  const [first = ''] = labels
  const isEnd =
    Object.hasOwn(KEYWORDS, first) && (labels.length === 1 || readNarrowing(labels.slice(1)) !== undefined)
  return isEnd || readNarrowing(labels) !== undefined ? BETWEEN : NOTHING
}

type Narrowing = Omit<ServiceLabels, 'before'>

/** What may stand behind `service`, each behind its value. */
const KEYWORDS: Readonly<Record<string, keyof Narrowing>> = { zone: 'zone', group: 'group', ns: 'namespace' }

/**
 * Reads `VALUE.zone`, `VALUE.group` and `VALUE.ns` in any order, each at most once. Values may have dots, and may be called
 * like a keyword: one begins where the one before it ends.
 */
function readNarrowing(labels: readonly string[]): Narrowing | undefined {
  const found: { -readonly [K in keyof Narrowing]: Narrowing[K] } = {}
  let end = labels.length
  while (end > 0) {
    const keyword = keywordOf(labels[end - 1])
    if (keyword === undefined || found[keyword] !== undefined || end === 1) return undefined
    let begin = end - 2
    while (begin > 0 && !opensAnother(labels, begin - 1, keyword, found)) begin--
    found[keyword] = labels.slice(begin, end - 1).join('.')
    end = begin
  }
  return found
}

/** Whether the label at a place is a keyword that is still free, with a value before it. */
function opensAnother(
  labels: readonly string[],
  place: number,
  current: keyof Narrowing,
  found: Narrowing,
): boolean {
  const keyword = keywordOf(labels[place])
  return place > 0 && keyword !== undefined && keyword !== current && found[keyword] === undefined
}

function keywordOf(label: string | undefined): keyof Narrowing | undefined {
  return label !== undefined && Object.hasOwn(KEYWORDS, label) ? KEYWORDS[label] : undefined
}

/** `0a000001.addr` is 10.0.0.1, and 32 digits are an address of IPv6: names for targets that have none. */
function readAddress(labels: readonly string[]): Asked {
  const [digits, ...more] = labels
  if (digits === undefined) return BETWEEN
  if (more.length > 0 || !/^([0-9a-f]{8}|[0-9a-f]{32})$/.test(digits)) return NOTHING
  return { kind: 'address', address: Buffer.from(digits, 'hex') }
}

/** The kinds of names that Consul has, searched from the right; one datacenter may stand behind them. */
function readConsul(
  labels: readonly string[],
  own: { readonly datacenter: string; readonly node: string },
): Asked {
  const inner = withoutDatacenter(labels, own.datacenter)
  const kind = inner.at(-1)
  const before = inner.slice(0, -1)
  switch (kind) {
    case undefined:
    case 'dc':
      return before.length === 0 ? BETWEEN : NOTHING
    case 'service':
      return before.length === 0 ? BETWEEN : { kind: 'service', before }
    case 'addr':
      return readAddress(before)
    case 'node':
      if (before.length === 0) return BETWEEN
      return before.join('.') === own.node ? { kind: 'node' } : NOTHING
    default:
      if (!kind.startsWith('_')) return NOTHING
      // For services `service` may be left out: _web._tcp.consul.
      return before.length === 0 ? BETWEEN : { kind: 'service', before: inner }
  }
}

/** Takes `DATACENTER` or `DATACENTER.dc` from the end. */
function withoutDatacenter(labels: readonly string[], datacenter: string): readonly string[] {
  const end = labels.at(-1) === 'dc' && labels.at(-2) === datacenter ? -2 : -1
  return labels.at(end) === datacenter ? labels.slice(0, end) : labels
}
