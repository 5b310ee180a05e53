/** This run beside an earlier one. */
import { formatNumber } from './report.js'
import type { Result } from './result.js'
import type { Spread } from './statistics.js'

/** How a quantity moved. */
export interface Move {
  readonly name: string
  /** What is compared: ratios where both runs have them, for these survive another machine. */
  readonly of: 'ratio' | 'value'
  readonly before: Spread
  readonly after: Spread
  /** New median divided by the old one. */
  readonly factor: number
  /** Whether the ranges do not overlap; otherwise it may be chance. */
  readonly clear: boolean
}

/** Every quantity that both results have. */
export function compare(before: Result, after: Result): Move[] {
  return after.measures.flatMap((measure) => {
    const old = before.measures.find(({ name }) => name === measure.name)
    if (old === undefined) return []
    const ratios = old.ratio !== undefined && measure.ratio !== undefined
    const [from, to] = ratios ? [old.ratio, measure.ratio] : [old.rollcall, measure.rollcall]
    const clear = to.min > from.max || to.max < from.min
    return [
      {
        name: measure.name,
        of: ratios ? 'ratio' : 'value',
        before: from,
        after: to,
        factor: to.median / from.median,
        clear,
      } as const,
    ]
  })
}

/** The comparison as text. */
export function comparisonText(before: Result, after: Result): string {
  const head = `compared with ${before.date}, commit ${before.commit}, ${before.machine.cpu}:`
  const lines = compare(before, after).map(({ name, of, before: from, after: to, factor, clear }) => {
    const change = `${factor >= 1 ? '+' : ''}${((factor - 1) * 100).toFixed(1)} %`
    return `  ${name}: ${of} ${formatNumber(from.median)} → ${formatNumber(to.median)} (${change}${clear ? '' : ', within the noise'})`
  })
  return [head, ...lines].join('\n')
}
