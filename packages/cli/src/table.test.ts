/** Tables, and texts that cannot steer a terminal. */
import { describe, expect, it } from 'vitest'
import { printable, tableLines, type Column } from './table.js'

interface Row {
  readonly name: string
  readonly count: number
  readonly note?: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', text: ({ name }) => name },
  {
    title: 'COUNT',
    align: 'right',
    text: ({ count }) => String(count),
    style: ({ count }) => (count === 0 ? 'red' : undefined),
  },
  { title: 'NOTE', text: ({ note }) => note ?? '' },
]
const plain = (_style: string, text: string): string => text

describe('tableLines', () => {
  it('aligns columns to their widest cell and leaves no blanks at the end', () => {
    const rows = [
      { name: 'a', count: 12_000, note: 'x' },
      { name: 'longer', count: 1 },
    ]
    expect(tableLines(COLUMNS, rows, plain)).toEqual([
      'NAME    COUNT  NOTE',
      'a       12000  x',
      'longer      1',
    ])
  })

  it('leaves out columns in which no row has anything', () => {
    expect(tableLines(COLUMNS, [{ name: 'a', count: 1 }], plain)).toEqual(['NAME  COUNT', 'a         1'])
  })

  it('aligns by what is seen, not by the codes that paint it', () => {
    const paint = (style: string, text: string): string => `<${style}>${text}</>`
    expect(
      tableLines(
        COLUMNS,
        [
          { name: 'a', count: 0 },
          { name: 'b', count: 10 },
        ],
        paint,
      ),
    ).toEqual(['<dim>NAME</>  <dim>COUNT</>', 'a         <red>0</>', 'b        10'])
  })

  it('lets no cell steer the terminal', () => {
    const lines = tableLines(COLUMNS, [{ name: '\u001b[2Jevil\nline', count: 1 }], plain)
    expect(lines[1]).toBe('\\u{1b}[2Jevil\\u{a}line      1')
  })
})

describe('printable', () => {
  it('shows what cannot be seen, and keeps what it is told to keep', () => {
    expect(printable('a\u202eb\u009bc')).toBe('a\\u{202e}b\\u{9b}c')
    expect(printable('a\nb\tc', '\n')).toBe('a\nb\\u{9}c')
    expect(printable('Größe 数 👍')).toBe('Größe 数 👍')
  })
})
