/** What a bridge tells: a line when something has changed, never more than one of a kind in a round, and now and then all of it. */
import type { RegistryError } from '@rollcall/wire'
import type { Clock } from '../clock.js'
import type { Output } from '../output.js'
import type { DirectionState } from './direction.js'
import { printable } from '../table.js'

export interface BridgeReport {
  /** A round has begun: both registries were asked. */
  round(): void
  /** A registry answers, or fails with this. */
  side(kind: string, error: RegistryError | undefined): void
  direction(from: string, to: string, state: DirectionState): void
  /** At the end: what is left in a registry, wanted or not. */
  ended(from: string, to: string, left: number, keep: boolean): void
}

/** What is the same is told again after this: who reads a log sees that the bridge is there, and how it does. */
const REPEAT_MS = 300_000

/** Lines for people, or with `json` a document in each. */
export function createReport(output: Output, clock: Clock, json: boolean): BridgeReport {
  /** What was told last, by what it is about. */
  const told = new Map<string, { readonly words: string; readonly at: number }>()
  const tell = (about: string, words: string, document: object): void => {
    const last = told.get(about)
    if (last?.words === words && clock.now() - last.at < REPEAT_MS) return
    told.set(about, { words, at: clock.now() })
    const time = new Date(clock.wallNow()).toISOString()
    if (json) output.json({ time, ...document })
    // What other registries say may hold whatever moves a terminal.
    else output.line(printable(`${time} ${words}`))
  }
  return {
    round: () => undefined,
    side(kind, error) {
      if (error === undefined) tell(kind, `${kind} answers`, { event: 'answers', registry: kind })
      else
        tell(kind, `${kind} is away, nothing of it is removed: ${error.message}`, {
          event: 'away',
          registry: kind,
          error: error.toBody(),
        })
    },
    direction(from, to, state) {
      tell(`${from} ${to}`, directionLine(from, to, state), { event: 'mirrored', from, to, ...state })
    },
    ended(from, to, left, keep) {
      const fate = left === 0 ? 'nothing is left' : `${left} left until their leases end`
      tell(`${from} ${to} end`, `${from} -> ${to}: ended, ${fate}${keep ? ' (--keep)' : ''}`, {
        event: 'ended',
        from,
        to,
        left,
      })
    },
  }
}

/** Tells several, in turn. */
export function toAll(...reports: readonly BridgeReport[]): BridgeReport {
  return {
    round: () => reports.forEach((report) => report.round()),
    side: (...words) => reports.forEach((report) => report.side(...words)),
    direction: (...words) => reports.forEach((report) => report.direction(...words)),
    ended: (...words) => reports.forEach((report) => report.ended(...words)),
  }
}

const WHY = {
  empty: (from: string, kept: number) =>
    `${from} lists nothing of its own, ${kept} kept; stop the bridge to remove them`,
  stale: (from: string, kept: number) => `${from} says that its list may lack something, ${kept} kept`,
  shrunk: (from: string, kept: number) => `${from} suddenly lists fewer, ${kept} kept for now`,
} as const

export function directionLine(from: string, to: string, state: DirectionState): string {
  const { mirrored, atHome, leftOut, refused, refusal = '', kept, why } = state
  const parts = [
    `${mirrored} mirrored`,
    ...(atHome > 0 ? [`${atHome} in both already`] : []),
    ...(leftOut > 0 ? [`${leftOut} left out`] : []),
    ...(refused > 0 ? [`${refused} refused by ${to}: ${refusal}`] : []),
    ...(why === undefined ? [] : [WHY[why](from, kept)]),
  ]
  return `${from} -> ${to}: ${parts.join(', ')}`
}
