/** One line of the event log, as `events` and `explain` print it. Pure. */
import type { EventKind, RegistryEvent } from '@rollcall/wire'
import { printable, type Paint, type Style } from './table.js'

/** Colours of what calls for attention; the rest is plain. */
const STYLES: Readonly<Partial<Record<EventKind, Style>>> = {
  registered: 'green',
  restored: 'green',
  deregistered: 'red',
  expired: 'red',
  guard_tripped: 'yellow',
  frozen: 'yellow',
  stall: 'yellow',
}

/** What another node told has no author here. */
function authorText(by: string): string {
  return by === 'learnt' ? 'told by another node' : `by ${by}`
}

/** One line of the event log: time, kind, subject, states, why, by whom. */
export function logLine(event: RegistryEvent, paint: Paint): string {
  const { at, kind, from, to, reason, by, why, peer, via, lateMs, node } = event
  const style = STYLES[kind]
  const states = from === undefined && to === undefined ? [] : [`${from ?? '-'} → ${to ?? '-'}`]
  const authors = [
    ...(by === undefined ? [] : [authorText(by)]),
    ...(peer === undefined ? [] : [`from ${peer}`]),
    ...(via === undefined ? [] : [`via ${via}`]),
  ]
  const parts = [
    ...subjectOf(event),
    ...states,
    ...(reason === undefined ? [] : [`(${reason})`]),
    ...(lateMs === undefined ? [] : [`${(lateMs / 1_000).toFixed(1)} s late`]),
    ...authors,
    ...(why === undefined ? [] : [`: ${why}`]),
    ...(node === undefined ? [] : [`at ${node}`]),
  ]
  const name = kind.padEnd(16)
  return [
    paint('dim', printable(at)),
    style === undefined ? name : paint(style, name),
    ...parts.map((part) => printable(part)),
  ]
    .join('  ')
    .trimEnd()
}

function subjectOf({ namespace, service, group, id, zone }: RegistryEvent): string[] {
  if (service !== undefined) {
    const within = namespace === undefined || namespace === 'default' ? '' : `${namespace}/`
    return [`${within}${service}${group === undefined ? '' : `/${group}`}`, ...(id === undefined ? [] : [id])]
  }
  if (namespace !== undefined) return [namespace === '*' ? 'all namespaces' : namespace]
  return zone === undefined ? [] : [zone === '' ? 'no zone' : `zone ${zone}`]
}
