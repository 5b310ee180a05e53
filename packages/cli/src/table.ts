/** Tables for people: columns aligned by spaces, no lines drawn, so that eyes and `awk` both read them. */

/** Paints a text for the terminal, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

/** The styles in use; each has one meaning. */
export type Style = 'green' | 'yellow' | 'red' | 'cyan' | 'dim'

/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly align?: 'right'
  text(row: Row): string
  style?(row: Row): Style | undefined
}

/**
 * Lines of a table, title first. Columns in which no row has anything are left out. Widths count code points: what
 * may hold wide characters, such as metadata, belongs into the last column, which is not padded.
 */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint,
): string[] {
  const filled = columns
    .map((column) => ({ column, cells: rows.map((row) => printable(column.text(row))) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
    .map(({ column, cells }) => ({
      column,
      cells,
      width: Math.max(...[column.title, ...cells].map(widthOf)),
    }))
  const line = (cellOf: (index: number) => { text: string; style: Style | undefined }): string => {
    const parts = filled.map(({ column, width }, index) => {
      const { text, style } = cellOf(index)
      const space = ' '.repeat(Math.max(0, width - widthOf(text)))
      const painted = style === undefined ? text : paint(style, text)
      if (column.align === 'right') return space + painted
      return index === filled.length - 1 ? painted : painted + space
    })
    return parts.join('  ').trimEnd()
  }
  return [
    line((index) => ({ text: filled[index]?.column.title ?? '', style: 'dim' })),
    ...rows.map((row, at) =>
      line((index) => ({ text: filled[index]?.cells[at] ?? '', style: filled[index]?.column.style?.(row) })),
    ),
  ]
}

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

function widthOf(text: string): number {
  return Array.from(text).length
}
