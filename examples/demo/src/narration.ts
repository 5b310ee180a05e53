/** What the demo prints: a running account, and a table of promises at the end. */
import { styleText } from 'node:util'

/** One promise and what was measured. */
export interface Outcome {
  readonly promise: string
  readonly measured: string
  readonly held: boolean
}

const startedAt = Date.now()

/** One line of the account, with the time since the start. */
export function tell(text: string): void {
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1).padStart(5)
  process.stdout.write(`${styleText('gray', `${seconds} s`)}  ${text}\n`)
}

/** A heading between the acts. */
export function act(title: string): void {
  process.stdout.write(`\n${styleText('bold', title)}\n`)
}

/** The table of promises, and whether all held. */
export function summary(outcomes: readonly Outcome[]): boolean {
  const rows = outcomes.map(
    ({ promise, measured, held }) => [promise, measured, held ? 'held' : 'BROKEN'] as const,
  )
  const widths = [0, 1].map((column) => Math.max(8, ...rows.map((row) => (row[column] as string).length)))
  const line = (a: string, b: string, c: string): string =>
    `  ${a.padEnd(widths[0] as number)}  ${b.padEnd(widths[1] as number)}  ${c}`
  act('Promised and measured')
  process.stdout.write(`${styleText('gray', line('promised', 'measured', ''))}\n`)
  for (const [promise, measured, held] of rows) {
    process.stdout.write(`${line(promise, measured, styleText(held === 'held' ? 'green' : 'red', held))}\n`)
  }
  return outcomes.every(({ held }) => held)
}
