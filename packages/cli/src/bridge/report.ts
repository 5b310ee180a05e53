/** What a bridge tells: a line when something has changed, never more than one of a kind in a round. */
import type { RegistryError } from '@rollcall/wire'
import type { Clock } from '../clock.js'
import type { Output } from '../output.js'
import type { DirectionState } from './direction.js'

export interface BridgeReport {
  /** A registry answers, or fails with this. */
  side(kind: string, error: RegistryError | undefined): void
  direction(from: string, to: string, state: DirectionState): void
  /** At the end: what is left in a registry, wanted or not. */
  ended(from: string, to: string, left: number, keep: boolean): void
}

/** Lines for people, or with `json` a document in each. */
export function createReport(output: Output, clock: Clock, json: boolean): BridgeReport {
  /** What was told last, by what it is about. */
  const told = new Map<string, string>()
  const tell = (about: string, words: string, document: object): void => {
    if (told.get(about) === words) return
    told.set(about, words)
    const time = new Date(clock.wallNow()).toISOString()
    if (json) output.json({ time, ...document })
    else output.line(`${time} ${words}`)
  }
  return {
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
