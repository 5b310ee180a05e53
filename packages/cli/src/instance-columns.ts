/** Instances as tables show them: columns, colours of states, order. Pure. */
import type { Instance, State } from '@rollcall/wire'
import { compareNatural } from './natural-order.js'
import type { Column, Style } from './table.js'

/** One colour per state: what takes calls, what may, what does not, what is not meant to. */
export const STATE_STYLES: Readonly<Record<State, Style>> = {
  up: 'green',
  starting: 'cyan',
  draining: 'cyan',
  suspect: 'yellow',
  down: 'red',
  disabled: 'dim',
}

/** `host:port`, with brackets around IPv6. */
export function addressOf({ host, port }: Pick<Instance, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** `key=value` pairs in order of their keys. */
export function pairsOf(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}

/** An age in its largest fitting unit: `3s`, `5m`, `2h`, `4d`. */
export function ageText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

/** How long a change has waited: below a second that counts. */
export function lagText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)}ms` : ageText(ms)
}

/** Instances of one service. The address is shown on demand only where every id says it. */
export function instanceColumns(instances: readonly Instance[]): readonly Column<Instance>[] {
  const allNamed = instances.every((instance) => instance.id === addressOf(instance))
  return [
    { title: 'GROUP', text: ({ group }) => group },
    { title: 'ID', key: true, text: ({ id }) => id },
    { title: 'ADDRESS', key: true, ...(allNamed ? { wide: true } : {}), text: addressOf },
    { title: 'STATE', text: ({ state }) => state, style: ({ state }) => STATE_STYLES[state] },
    {
      title: 'FOR',
      align: 'right',
      text: ({ stateAgeMs }) => ageText(stateAgeMs),
      value: (each) => each.stateAgeMs,
    },
    { title: 'WEIGHT', align: 'right', text: ({ weight }) => String(weight), value: (each) => each.weight },
    { title: 'PROTOCOL', text: ({ protocol }) => protocol ?? '' },
    { title: 'ZONE', text: ({ zone }) => zone ?? '' },
    { title: 'REASON', text: ({ reason }) => reason ?? '' },
    { title: 'METADATA', wide: true, text: ({ metadata }) => pairsOf(metadata) },
  ]
}

/** By group, then id, so that two calls can be compared; numbers in them by their value. */
export function sorted(instances: readonly Instance[]): Instance[] {
  return [...instances].sort((a, b) => compareNatural(a.group, b.group) || compareNatural(a.id, b.id))
}
