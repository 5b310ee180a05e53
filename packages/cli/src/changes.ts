/** What happened to a list, instance by instance, in the words of `rollcall watch`. Pure. */
import type { ListChange } from '@rollcall/client'
import { defined, type Instance } from '@rollcall/wire'
import { addressOf, pairsOf, STATE_STYLES } from './instance-columns.js'
import { printable, type Paint, type Style } from './table.js'

/** One thing that happened to one instance. */
export interface InstanceEvent {
  readonly event: 'added' | 'changed' | 'removed'
  readonly instance: Instance
  /** Of a change: what it was. */
  readonly before?: Instance
  /** Of a removal: `deregistered` or `expired`, absent where the registry gave none. */
  readonly reason?: string
}

/** Turns changes of one list into events. The first change given is the list to start from. */
export class ChangeReader {
  private readonly known = new Map<string, Instance>()

  /** Events of one change, removals first. */
  read(change: ListChange): InstanceEvent[] {
    const current = new Set(change.instances.map(keyOf))
    const events: InstanceEvent[] = []
    for (const { instance, reason } of change.removes) {
      if (current.has(keyOf(instance)) || !this.known.delete(keyOf(instance))) continue
      events.push({ event: 'removed', instance, ...defined({ reason }) })
    }
    for (const instance of change.upserts) {
      const before = this.known.get(keyOf(instance))
      if (before?.digest === instance.digest) continue
      this.known.set(keyOf(instance), instance)
      events.push(
        before === undefined ? { event: 'added', instance } : { event: 'changed', instance, before },
      )
    }
    return events
  }
}

function keyOf({ group, id }: Instance): string {
  return `${group}\n${id}`
}

const MARKS: Readonly<Record<InstanceEvent['event'], readonly [mark: string, style: Style]>> = {
  added: ['+', 'green'],
  changed: ['~', 'yellow'],
  removed: ['-', 'red'],
}

/** One line: time, mark, service and group, id, address where the id does not say it, state, what else is new, reason. */
export function eventLine(wallMs: number, happened: InstanceEvent, paint: Paint): string {
  const { event, instance, reason } = happened
  const [mark, style] = MARKS[event]
  const address = addressOf(instance)
  const names = [
    `${instance.service}/${instance.group}`,
    instance.id,
    ...(address === instance.id ? [] : [address]),
  ]
  const state =
    event === 'removed' ? paint('red', reason ?? 'gone') : paint(STATE_STYLES[instance.state], instance.state)
  const more =
    event === 'removed'
      ? []
      : [...differences(happened), ...(instance.reason === undefined ? [] : [`(${instance.reason})`])]
  return [
    paint('dim', timeOf(wallMs)),
    paint(style, mark),
    ...names.map((name) => printable(name)),
    state,
    ...more.map((text) => printable(text)),
  ].join('  ')
}

/** What is new about an instance beside its state. */
function differences({ instance, before }: InstanceEvent): string[] {
  if (before === undefined) return []
  const found: string[] = []
  if (instance.weight !== before.weight) found.push(`weight ${instance.weight}`)
  if (instance.zone !== before.zone) found.push(`zone ${instance.zone ?? 'none'}`)
  if (instance.incarnation !== before.incarnation) found.push('registered anew')
  if (pairsOf(instance.metadata) !== pairsOf(before.metadata))
    found.push(pairsOf(instance.metadata) || 'no metadata')
  return found
}

/** Local time of day with milliseconds. */
function timeOf(wallMs: number): string {
  const date = new Date(wallMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
