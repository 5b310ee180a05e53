/** What judgement would do, and when, if from now on nothing is heard and no probe succeeds. Pure. */
import { assess, type Facts } from './assess.js'
import { LIVENESS_TABLE, type Transition } from './transitions.js'
import type { LivenessOptions } from './options.js'

/** A verdict that silence would bring. */
export interface Forecast extends Pick<Transition, 'value' | 'reason'> {
  readonly at: number
}

/**
 * Looks that lead nowhere within this many are given up: enough for ten minutes of questions at half the shortest lease.
 */
const LOOKS_MAX = 4_096

/** The next verdict that silence would bring; undefined where silence brings none. */
export function forecast(facts: Facts, t: number, options: LivenessOptions): Forecast | undefined {
  let at = t
  let { evidence } = facts
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (evidence.asking) {
      at += options.probeTimeoutMs
      evidence = { ...evidence, asking: false, probe: { at, outcome: 'failed' } }
    }
    const { event, next } = assess({ ...facts, evidence }, at, options)
    const cell = event === undefined ? undefined : LIVENESS_TABLE[facts.standing][event]
    if (cell?.does === 'becomes') return { value: cell.value, reason: cell.reason, at }
    if (cell?.does === 'asks') evidence = { ...evidence, asking: true, askedAt: at, outdated: false }
    else if (next === Infinity) return undefined
    else at = Math.max(next, at)
  }
  return undefined
}
