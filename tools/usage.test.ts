/** Every tool explains itself, and refuses what it does not know, before it does anything. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Those that are run by themselves: their head shows how. */
const TOOLS = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.mjs'))
  .filter((name) => / \* {5}(node|npm run) /.test(readFileSync(join(import.meta.dirname, name), 'utf8')))

const run = (tool: string, option: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [join(import.meta.dirname, tool), option], { encoding: 'utf8' })

it('are found', () => expect(TOOLS.length).toBeGreaterThan(5))

describe.each(TOOLS)('%s', (tool) => {
  it('prints its head with --help', () => {
    const { status, stdout } = run(tool, '--help')
    expect([status, /^ {4}(node|npm run) /m.test(stdout)]).toEqual([0, true])
  })

  it('refuses an option that it does not know', () => {
    const { status, stdout, stderr } = run(tool, '--unheard-of')
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).not.toContain('    at ')
  })
})
