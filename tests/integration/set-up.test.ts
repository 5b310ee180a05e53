/** The set-up of a checkout: installing and building once, also by two at a time. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function node(...args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

/** A process that holds the lock while it prints, waits and prints. */
function holder(lock: string): Promise<{ code: number | null; output: string }> {
  const module = pathToFileURL(join(ROOT, 'tools', 'lock.mjs')).href
  const work = `async () => { console.log('in'); await new Promise((done) => setTimeout(done, 300)); console.log('out') }`
  const script = `import { withLock } from '${module}'; await withLock(${JSON.stringify(lock)}, () => {}, ${work})`
  return node('--input-type=module', '-e', script)
}

function lockPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-set-up-'))
  folders.push(folder)
  return join(folder, 'set-up.lock')
}

describe('set-up', () => {
  it('finds nothing to do in a checkout that runs tests', async () => {
    expect(await node('tools/prepare.mjs', '--no-build')).toEqual({ code: 0, output: '' })
  })

  it('lets one process in at a time', async () => {
    const lock = lockPath()
    const startedAt = performance.now()
    const all = await Promise.all([holder(lock), holder(lock), holder(lock)])
    expect(all).toEqual(Array.from({ length: 3 }, () => ({ code: 0, output: 'in\nout\n' })))
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(900)
    expect(existsSync(lock)).toBe(false)
  })

  it('takes over from a process that was killed', async () => {
    const lock = lockPath()
    writeFileSync(lock, '1')
    const longAgo = new Date(Date.now() - 60_000)
    utimesSync(lock, longAgo, longAgo)
    expect(await holder(lock)).toEqual({ code: 0, output: 'in\nout\n' })
  })

  it.each(['launch.mjs', 'check.mjs'])(
    '%s explains itself when it is asked for something unknown',
    async (tool) => {
      const { code, output } = await node(`tools/${tool}`, 'nonsense')
      expect(code).toBe(2)
      expect(output).toContain(`Usage: node tools/${tool}`)
    },
  )
})
