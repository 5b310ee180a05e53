/** Where a command writes: results to standard output, notes to standard error, tables and colour for people, JSON for scripts. */
import { styleText } from 'node:util'
import type { Shell, TextStream } from './shell.js'
import { chooseTable, type TableChoice } from './table-options.js'
import { printable, tableLines, type Column, type Paint } from './table.js'

/** What a command says, to people or to scripts. */
export interface Output {
  /** One line of the result. */
  line(text: string): void
  /** A table of results, which fits a terminal; a note says how many rows are left out. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], choice?: TableChoice): void
  /** One JSON document, in one line. */
  json(value: unknown): void
  /** One line beside the result, on standard error. */
  note(text: string): void
  /** A table beside the result, on standard error. */
  noteTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void
  /** Paints what goes to `line`. */
  readonly paint: Paint
}

/** Creates the output of a command. Colour only on a terminal, and never with NO_COLOR (no-color.org). */
export function createOutput({ out, err, env }: Pick<Shell, 'out' | 'err' | 'env'>): Output {
  const paint = painter(out, env)
  const write = (stream: TextStream, lines: readonly string[]): void => {
    if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
  }
  return {
    line: (text) => write(out, [text]),
    table(columns, rows, choice = {}) {
      const chosen = chooseTable(columns, rows, choice)
      write(out, tableLines(chosen.columns, chosen.rows, paint, widthOf(out)))
      if (chosen.left > 0) write(err, [`… and ${chosen.left.toLocaleString('en-US')} more`])
    },
    json: (value) => write(out, [JSON.stringify(value)]),
    note: (text) => write(err, [printable(text, '\n')]),
    noteTable: (columns, rows) => write(err, tableLines(columns, rows, painter(err, env), widthOf(err))),
    paint,
  }
}

/** What is not watched by a person is read by a program: nothing is cut. */
function widthOf({ isTerminal, columns }: TextStream): number | undefined {
  return isTerminal && columns !== undefined && columns > 0 ? columns : undefined
}

function painter(stream: TextStream, env: Shell['env']): Paint {
  const colourful = stream.isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  if (!colourful) return (_style, text) => text
  return (style, text) => styleText(style, text, { validateStream: false })
}
