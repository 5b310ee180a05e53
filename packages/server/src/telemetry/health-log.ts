/** Log lines about the health of a node: what it no longer believes, how it stood still, and how full its heap is. */
import type { Clock, Logger, Notice } from '@rollcall/core'
import { createBoundedLog } from './bounded-log.js'

/** What a node says of itself. */
export interface HealthLog {
  noticed(notice: Notice): void
  /** How much of the heap is alive, and how much may be. Cheap; for every tick. */
  heap(room: { readonly used: number; readonly max: number }): void
}

/** A mass silence trips the guard of every service at once. */
const LINES = { linesMax: 50, windowMs: 10_000, about: 'health of the node' }

const PRESSURES = ['none', 'near', 'full'] as const
type Pressure = (typeof PRESSURES)[number]

/** Shares of what may be alive at which it is near the limit, and no longer: what goes to and fro between is not told. */
const NEAR = 0.75
const ROOMY = 0.65
/** Full again only after it was well below. */
const NO_LONGER_FULL = 0.95

/** Creates the log. */
export function createHealthLog(deps: { readonly clock: Clock; readonly logger: Logger }): HealthLog {
  const write = createBoundedLog(deps, LINES)
  let pressure: Pressure = 'none'
  return {
    noticed: (notice) => write(...lineOf(notice)),
    heap({ used, max }) {
      const next = pressureOf(pressure, used / max)
      if (next === pressure) return
      const eased = PRESSURES.indexOf(next) < PRESSURES.indexOf(pressure)
      pressure = next
      const fields = { usedBytes: Math.round(used), maxBytes: max }
      if (next === 'full') write('warn', fields, 'the heap is full: what would add to it is refused')
      else if (!eased) write('warn', fields, 'the heap is nearly full')
      else write('info', fields, next === 'none' ? 'the heap has room again' : 'the heap is no longer full')
    },
  }
}

function pressureOf(before: Pressure, share: number): Pressure {
  if (share >= 1 || (before === 'full' && share >= NO_LONGER_FULL)) return 'full'
  return share >= (before === 'none' ? NEAR : ROOMY) ? 'near' : 'none'
}

function lineOf(notice: Notice): readonly ['warn' | 'info', Readonly<Record<string, unknown>>, string] {
  switch (notice.kind) {
    case 'service_guard': {
      const { namespace, service, total } = notice.service
      const fields = { guard: 'service', namespace, service, listed: total }
      return notice.tripped
        ? [
            'warn',
            fields,
            'guard tripped: too much of a service fell silent at once, silent instances are kept',
          ]
        : ['info', fields, 'guard released: the silence of a service is believed again']
    }
    case 'watcher_doubt': {
      const fields = { guard: 'watcher', zone: notice.zone }
      return notice.doubting
        ? ['warn', fields, 'guard tripped: too much fell silent at once, the node doubts what it hears']
        : ['info', fields, 'guard released: the node believes what it hears again']
    }
    case 'stall':
      return ['warn', { lateMs: notice.lateMs }, 'the event loop stood still: all judgement waited']
    case 'override_over': {
      const { namespace, service, group, id, wishes } = notice
      return ['info', { namespace, service, group, id, wishes }, 'an override ended: its time was over']
    }
    default:
      return notice satisfies never
  }
}
