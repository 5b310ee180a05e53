/** Results as tables: for the terminal, and for documents between their markers. */
import { CUT_OFF, type Outcome } from './flood.js'
import type { HotSpot } from './inspector.js'
import type { Measure, Target } from './measure.js'
import type { Result } from './result.js'
import type { Spread } from './statistics.js'

const HEADINGS = ['what', 'unit', 'Rollcall', 'floor', 'ratio', 'target', ''] as const

/** A number with as many digits as it deserves. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function formatSpread(spread: Spread | undefined): string {
  if (spread === undefined) return ''
  const { median, min, max, samples } = spread
  return samples.length === 1
    ? formatNumber(median)
    : `${formatNumber(median)} (${formatNumber(min)} – ${formatNumber(max)})`
}

function formatTarget(target: Target | undefined): string {
  if (target === undefined) return ''
  const bound =
    target.atLeast === undefined
      ? `≤ ${formatNumber(target.atMost ?? 0)}`
      : `≥ ${formatNumber(target.atLeast)}`
  return target.of === 'ratio' ? `${bound} ×` : bound
}

function cells({ name, unit, rollcall, baseline, ratio, target, met }: Measure): string[] {
  const verdict = met === undefined ? '' : met ? 'met' : 'MISSED'
  return [
    name,
    unit,
    formatSpread(rollcall),
    formatSpread(baseline),
    formatSpread(ratio),
    formatTarget(target),
    verdict,
  ]
}

/** A table for people at a terminal. */
export function terminalTable(result: Result): string {
  const rows = [[...HEADINGS], ...result.measures.map(cells)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, ...result.notes].join('\n')
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  return [head, head.map(() => '---'), ...body]
    .map((row) => `| ${row.join(' | ')} |`.replaceAll('|  |', '| |'))
    .join('\n')
}

/** The section of one scenario: a paragraph and a table for each form that was run. */
export function scenarioSection(results: readonly Result[]): string {
  return results.map(formSection).join('\n\n')
}

function formSection(result: Result): string {
  const { machine, baseline, about } = result
  const floor = baseline === undefined ? '' : ` The floor is ${baseline}.`
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`
  const when = `${result.date}, commit \`${result.commit}\`, ${result.rounds} rounds, load before the run ${formatNumber(machine.loadBefore)}`
  const title =
    result.form === 'long'
      ? `Long form, \`npm run bench -- --long ${result.scenario}\``
      : `\`npm run bench -- ${result.scenario}\``
  return [
    `${title}: ${about}.${floor}`,
    markdownTable([HEADINGS, ...result.measures.map(cells)]),
    ...(result.notes.length === 0 ? [] : [result.notes.join(' ')]),
    `${when}; ${where}.`,
  ].join('\n\n')
}

/** One line for each target. The long form counts where there is one. */
export function summarySection(results: readonly Result[]): string {
  const judged = results.flatMap((result) =>
    result.measures
      .filter(({ target }) => target !== undefined)
      .map((measure) => [`[${result.scenario}](#${result.scenario})`, ...summaryCells(measure)]),
  )
  return markdownTable([['scenario', 'what', 'measured', 'target', ''], ...judged])
}

function summaryCells(measure: Measure): string[] {
  const { name, unit, rollcall, ratio, target } = measure
  const judged = target?.of === 'ratio' ? `${formatSpread(ratio)} ×` : `${formatSpread(rollcall)} ${unit}`
  return [
    name,
    judged.trim(),
    `${formatTarget(target)}${target?.of === 'ratio' ? '' : ` ${unit}`}`.trim(),
    measure.met === true ? 'met' : '**missed**',
  ]
}

/** A row for each flood. */
export function floodTable(outcomes: readonly Outcome[]): string {
  const head = [
    'one client',
    'heap',
    '/livez at worst (calm node)',
    'memory gained',
    'kept',
    'refused by',
    'others: services that came and went, slowest call',
  ]
  return markdownTable([head, ...outcomes.map(floodCells)])
}

function floodCells({ about, heap, livezMs, calmMs, memory, refusals, living }: Outcome): string[] {
  const ms = (value: number): string => `${formatNumber(Math.round(value))} ms`
  const mib = (value: number): string => `${formatNumber(Math.max(0, Math.round(value)))} MiB`
  const refused = Object.entries(living.refused).map(([quota, count]) => `, ${count} refused by \`${quota}\``)
  return [
    about,
    typeof heap === 'number' ? `${heap} MiB` : heap,
    `${ms(livezMs)} (${ms(calmMs)})`,
    mib(memory.most - memory.before),
    `${mib(memory.idle - memory.before)}, then ${mib(memory.after - memory.before)}`,
    Object.keys(refusals)
      .map((quota) => (quota === CUT_OFF ? quota : `\`${quota}\``))
      .join(', '),
    `${formatNumber(living.cycles)}${refused.join('')}, ${ms(living.slowestMs)}`,
  ]
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`; throws for a document without these. */
export function between(document: string, name: string, content: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const start = document.indexOf(open)
  const end = document.indexOf(close)
  if (start < 0 || end < start) throw new Error(`the document has no ${open} … ${close}`)
  return `${document.slice(0, start + open.length)}\n${content}\n${document.slice(end)}`
}

/** The places where most time went, as text. */
export function profileText(hotSpots: readonly HotSpot[], count: number): string {
  return hotSpots
    .slice(0, count)
    .map(({ share, where }) => `${(share * 100).toFixed(1).padStart(5)} %  ${where}`)
    .join('\n')
}
