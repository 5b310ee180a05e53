/** Tables for people: columns aligned by spaces, no lines drawn, so that eyes and `awk` both read them. */
import stringWidth from 'string-width'

/** Paints a text for the terminal, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

/** The styles in use; each has one meaning. */
export type Style = 'green' | 'yellow' | 'red' | 'cyan' | 'dim'

/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly align?: 'right'
  /** Shown only where all there is was asked for, or this column by its name. */
  readonly wide?: true
  /** Shown also where no row has anything in it. */
  readonly always?: true
  /** What is copied from here, such as an id: cut last. */
  readonly key?: true
  /** Never cut: what it says is the answer. Only the last column. */
  readonly whole?: true
  text(row: Row): string
  /** What rows are sorted by, where the text does not say it. */
  value?(row: Row): number
  style?(row: Row): Style | undefined
}

/** A column with its cells, as wide as it wants to be and as it is. */
interface Laid<Row> {
  readonly column: Column<Row>
  readonly cells: readonly string[]
  readonly wanted: number
  width: number
}

const GAP = '  '

/** No column is cut to less, unless the line as a whole has no room for that; 24 hold any IPv4 address with its port. */
const WIDTH_MIN = 8
const KEY_WIDTH_MIN = 24

/**
 * Lines of a table, title first. Columns in which no row has anything are left out. With a `width`, what is too long is cut
 * and ends with `…`: the widest columns first, those that are copied from last.
 */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint,
  width: number = Infinity,
): string[] {
  const laid = columns
    .map((column) => ({ column, cells: rows.map((row) => printable(column.text(row))) }))
    .filter(({ column, cells }) => column.always === true || cells.some((cell) => cell !== ''))
    .map(({ column, cells }): Laid<Row> => {
      const wanted = cells.reduce((most, cell) => Math.max(most, widthOf(cell)), widthOf(column.title))
      return { column, cells, wanted, width: wanted }
    })
  fit(laid, width)
  type Cell = { readonly text: string; readonly style: Style | undefined }
  const line = (cellOf: (each: Laid<Row>) => Cell): string => {
    let left = width
    const parts = laid.map((each, index) => {
      const { column, width: wanted } = each
      const { text: whole, style } = cellOf(each)
      const room = Math.min(wanted, Math.max(0, left))
      const text = column.whole === true ? whole : cut(whole, room)
      left -= wanted + GAP.length
      const space = ' '.repeat(Math.max(0, room - widthOf(text)))
      const painted = style === undefined || text === '' ? text : paint(style, text)
      if (column.align === 'right') return space + painted
      return index === laid.length - 1 ? painted : painted + space
    })
    return parts.join(GAP).trimEnd()
  }
  return [
    line(({ column }) => ({ text: column.title, style: 'dim' })),
    ...rows.map((row, at) =>
      line(({ column, cells }) => ({ text: cells[at] ?? '', style: column.style?.(row) })),
    ),
  ]
}

/** Takes from the widest columns until all fit, or none can be cut any more. */
function fit<Row>(laid: readonly Laid<Row>[], width: number): void {
  const over = (): number =>
    laid.reduce((sum, each) => sum + each.width, GAP.length * Math.max(0, laid.length - 1)) - width
  for (const keys of [false, true]) {
    const may = laid.filter(
      ({ column: { align, key = false, whole } }) => align !== 'right' && whole !== true && key === keys,
    )
    while (over() > 0) {
      const [widest, next] = may.toSorted((a, b) => b.width - a.width)
      if (widest === undefined) break
      const min = Math.max(keys ? KEY_WIDTH_MIN : WIDTH_MIN, widthOf(widest.column.title))
      const least = Math.min(widest.wanted, min)
      const to = Math.max(least, Math.min(next?.width ?? 0, widest.width - 1), widest.width - over())
      if (to >= widest.width) break
      widest.width = to
    }
  }
}

/** The beginning of a text that is too wide, with `…` in place of the rest. */
function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let used = 1
  for (const { segment } of SEGMENTS.segment(text)) {
    used += widthOf(segment)
    if (used > width) break
    kept += segment
  }
  return width < 1 ? '' : `${kept}…`
}

const SEGMENTS = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * A text without control and formatting characters, by which the provider of an instance could steer
 * the terminal that lists it. `keep` names characters that may stay.
 */
export function printable(text: string, keep = ''): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    if (keep.includes(character)) return character
    return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`
  })
}

/** Places that a text takes on a terminal: two for each wide character, such as those of Chinese. */
function widthOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text)
}
