/** Tables, and texts that cannot steer a terminal. */
import stringWidth from 'string-width'
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

describe('tableLines on a terminal', () => {
  const LONG: readonly Column<{ readonly id: string; readonly why: string; readonly n: number }>[] = [
    { title: 'ID', key: true, text: ({ id }) => id },
    { title: 'WHY', text: ({ why }) => why },
    { title: 'N', align: 'right', text: ({ n }) => String(n) },
  ]
  const lines = (
    rows: Parameters<typeof tableLines<{ id: string; why: string; n: number }>>[1],
    width: number,
  ): string[] => tableLines(LONG, rows, plain, width)

  it('cuts the widest column, and what is copied from last', () => {
    const rows = [{ id: '10.100.100.100:30000', why: 'a long reason that goes on', n: 12_345 }]
    expect(lines(rows, 80)[1]).toBe('10.100.100.100:30000  a long reason that goes on  12345')
    expect(lines(rows, 45)[1]).toBe('10.100.100.100:30000  a long reason t…  12345')
    expect(lines(rows, 37)[1]).toBe('10.100.100.100:30000  a long …  12345')
    expect(lines(rows, 32)[1]).toBe('10.100.100.100:30000  a long …')
  })

  it('never is wider than the terminal, whatever there is in it', () => {
    const rows = [
      { id: '数'.repeat(30), why: 'é👍🏽'.repeat(20), n: 1 },
      { id: 'b', why: '', n: 1_000_000 },
    ]
    for (let width = 10; width < 140; width++) {
      for (const line of lines(rows, width))
        expect([width, stringWidth(line) <= width]).toEqual([width, true])
    }
    expect(lines(rows, 10)[1]).toContain('…')
  })

  it('aligns wide characters by the places that they take', () => {
    const rows = [
      { id: '数据库', why: 'x', n: 1 },
      { id: 'abcdef', why: 'y', n: 2 },
    ]
    expect(lines(rows, 80)).toEqual(['ID      WHY  N', '数据库  x    1', 'abcdef  y    2'])
  })

  it('cuts nothing of what is the answer itself', () => {
    const whole: readonly Column<string>[] = [{ title: 'VALUE', whole: true, text: (row) => row }]
    expect(tableLines(whole, ['x'.repeat(100)], plain, 20)[1]).toHaveLength(100)
  })
})

describe('printable', () => {
  it('shows what cannot be seen, and keeps what it is told to keep', () => {
    expect(printable('a\u202eb\u009bc')).toBe('a\\u{202e}b\\u{9b}c')
    expect(printable('a\nb\tc', '\n')).toBe('a\nb\\u{9}c')
    expect(printable('Größe 数 👍')).toBe('Größe 数 👍')
  })
})
