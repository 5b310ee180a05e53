/** Options of commands that print a table: which columns, in which order, and how many rows. */
import { defined } from '@rollcall/wire'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { offering } from './completion/offers.js'
import { UsageError } from './exit-codes.js'
import { compareNatural } from './natural-order.js'
import type { Column } from './table.js'

/** How a table is wanted. */
export interface TableChoice {
  /** Columns that are left out by default, too. */
  readonly wide?: boolean
  /** Titles in lower case, in this order; every one is shown, also without content. */
  readonly columns?: readonly string[]
  /** Title of the column to sort by, with `-` in front for the other direction. Default: as listed. */
  readonly sort?: string
  /** Most rows. */
  readonly limit?: number
}

/** The columns and the rows that are shown, and how many rows are not. */
export interface ChosenTable<Row> {
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly left: number
}

/** Declares `--wide --columns --sort --limit` for a table that may have these columns. */
export function addTableOptions(command: Command, columns: readonly Column<never>[]): Command {
  const names = columns.map(nameOf)
  const hidden = columns.filter(({ wide }) => wide === true).map(({ title }) => title)
  if (hidden.length > 0) command.option('--wide', `all columns, ${hidden.join(' and ')} too`)
  return command
    .addOption(
      offering(
        new Option('--columns <column,...>', `only these, in this order: ${names.join(', ')}`).argParser(
          (text) => text.split(',').map((name) => known(names, name.trim().toLowerCase())),
        ),
        names,
      ),
    )
    .addOption(
      offering(
        new Option('--sort <column>', 'by this column; with - in front, the largest first').argParser(
          (text) => {
            known(names, text.toLowerCase().replace(/^-/, ''))
            return text.toLowerCase()
          },
        ),
        names,
      ),
    )
    .option('--limit <number>', 'most rows of the table', readRows)
}

/** The given options. They are about tables, and JSON is the whole answer of the API. */
export function readTableOptions(command: Command, json: boolean): TableChoice {
  const { wide, columns, sort, limit } = command.opts<TableChoice>()
  const choice = defined({ wide, columns, sort, limit })
  const [first] = Object.keys(choice)
  if (json && first !== undefined)
    throw new UsageError(`--${first} is about the table, which --json does not print`)
  return choice
}

/** What is shown of a table by these options. */
export function chooseTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { wide = false, columns: names, sort, limit = Infinity }: TableChoice,
): ChosenTable<Row> {
  const shown =
    names === undefined
      ? columns.filter((column) => wide || column.wide !== true)
      : names.flatMap((name) =>
          columns
            .filter((column) => nameOf(column) === name)
            .map((column) => ({ ...column, always: true as const })),
        )
  const by = columns.find((column) => nameOf(column) === sort?.replace(/^-/, ''))
  const ordered = by === undefined ? rows : sortRows(rows, by, sort?.startsWith('-') === true)
  return { columns: shown, rows: ordered.slice(0, limit), left: Math.max(0, rows.length - limit) }
}

/** Stable: rows that are alike stay as they were. */
function sortRows<Row>(rows: readonly Row[], column: Column<Row>, down: boolean): readonly Row[] {
  const compare = (a: Row, b: Row): number =>
    column.value === undefined
      ? compareNatural(column.text(a), column.text(b))
      : column.value(a) - column.value(b)
  return rows.toSorted((a, b) => (down ? compare(b, a) : compare(a, b)))
}

function nameOf({ title }: Pick<Column<never>, 'title'>): string {
  return title.toLowerCase().replaceAll(' ', '-')
}

function known(names: readonly string[], name: string): string {
  if (names.includes(name)) return name
  throw new InvalidArgumentError(`There are ${names.join(', ')}.`)
}

function readRows(text: string): number {
  const rows = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (rows < 1) throw new InvalidArgumentError('Write a number from 1 on.')
  return rows
}
