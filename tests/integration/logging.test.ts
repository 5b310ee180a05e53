/** Logs of a real node whose reader does not read. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'

const source = (name: string): string =>
  new URL(`../../packages/server/dist/${name}.js`, import.meta.url).href

/** Runs a program that has a `logger` and a `clock`, with its standard output in a pipe. */
function run(program: string) {
  const script = `
    import { createLogger } from ${JSON.stringify(source('telemetry/logging'))}
    import { createSystemClock } from ${JSON.stringify(source('clock'))}
    const clock = createSystemClock()
    const logger = createLogger({ clock }, { level: 'info', format: 'auto' })
    ${program}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const errors: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  return {
    child,
    /** Reads to the end; resolves with the lines and the exit code. */
    finish: async (): Promise<{ lines: string[]; code: number | null; errors: string }> => {
      const chunks: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk)).resume()
      const [code] = (await once(child, 'close')) as [number | null]
      const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
      return { lines, code, errors: Buffer.concat(errors).toString() }
    },
  }
}

describe('logs in a pipe', () => {
  it('are complete after a flush and an exit', async () => {
    const { lines, code } = await run(`
      for (let n = 0; n < 5_000; n++) logger.info({ n }, 'line')
      logger.error({ error: new Error('a mistake') }, 'crash')
      logger.flush()
      process.exit(1)`).finish()
    expect(code).toBe(1)
    expect(lines).toHaveLength(5_001)
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      level: 'error',
      message: 'crash',
      error: { message: 'a mistake' },
    })
  })

  it('neither stop the event loop nor grow without bound while they are not read, and say what was lost', async () => {
    const { child, finish } = run(`
      let last = performance.now()
      let worstMs = 0
      let turns = 0
      const turn = () => {
        worstMs = Math.max(worstMs, performance.now() - last)
        for (let n = 0; n < 1_000; n++) logger.info({ n }, 'a line of some length to fill every buffer there is')
        last = performance.now()
        if (++turns < 100) return setTimeout(turn, 5)
        process.stderr.write(JSON.stringify({ worstMs, rss: process.memoryUsage().rss }))
        setTimeout(() => { logger.flush(); process.exit(0) }, 2_000)
      }
      turn()`)
    child.stdout.pause()
    await once(child.stderr, 'data')
    const { lines, errors } = await finish()
    const { worstMs, rss } = JSON.parse(errors) as { worstMs: number; rss: number }
    expect(worstMs).toBeLessThan(1_000)
    expect(rss).toBeLessThan(200_000_000)
    const loss = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((line) => line['level'] === 'warn')
    expect(loss?.['lines']).toBeGreaterThan(50_000)
    expect(lines.length - 1 + Number(loss?.['lines'])).toBe(100_000)
  })

  it('do not take the process down when their reader is gone', async () => {
    const { child, finish } = run(`
      setInterval(() => logger.info({}, 'line'), 5)
      setTimeout(() => { process.stderr.write('alive'); logger.flush(); process.exit(0) }, 500)`)
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const { code, errors } = await finish()
    expect({ code, errors }).toEqual({ code: 0, errors: 'alive' })
  })
})
