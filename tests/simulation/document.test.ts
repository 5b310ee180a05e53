/** docs/simulation.md names what exists. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MUTATIONS } from './index.js'
import { describe, expect, it } from 'vitest'
import { CASES } from './cases/index.js'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const TEXT = read('docs/simulation.md')

describe('docs/simulation.md', () => {
  it('has a row for each planted bug: its rule, the invariant and the cases that find it', () => {
    const rows = MUTATIONS.map(({ name, rule }) => {
      const cases = Object.entries(CASES).filter(([, { mutation }]) => mutation === name)
      const finds = [...new Set(cases.map(([, item]) => item.finds))].join(', ')
      return `| \`${name}\` | ${rule} | ${finds} | ${cases.map(([each]) => `\`${each}\``).join(', ')} |`
    })
    expect(rows.filter((row) => !TEXT.includes(row))).toEqual([])
  })

  it('names tests that exist', () => {
    const missing: string[] = []
    let file = ''
    for (const [, path, title] of TEXT.matchAll(/`([\w./-]+\.test\.ts)`|› \*([^*]+)\*/g)) {
      if (path !== undefined) file = path
      if (!existsSync(join(ROOT, file))) missing.push(file)
      else if (title !== undefined && !read(file).includes(title)) missing.push(`${file} › ${title}`)
    }
    expect(missing).toEqual([])
  })
})
