/** The journal on a real disk, in real processes that are killed, started twice, and run out of space. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createDisk, verifyJournal } from '@rollcall/storage'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAble } from './support/abilities.js'

const CHILD = fileURLToPath(new URL('./journal-child.mjs', import.meta.url))

interface Running {
  readonly process: ChildProcess
  readonly lines: string[]
  /** Resolves with the first line that matches, from this many lines on, whether it came already or not. */
  line(pattern: RegExp, from?: number): Promise<string>
  kill(): Promise<void>
}

let directory = ''
let running: Running[] = []

function start(args: readonly string[], shell?: string): Running {
  const command =
    shell === undefined
      ? [process.execPath, CHILD, ...args]
      : ['bash', '-c', `${shell}; exec "$@"`, 'bash', process.execPath, CHILD, ...args]
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  let watchers: (() => void)[] = []
  const wake = (): void => {
    for (const watcher of watchers) watcher()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    wake()
  })
  // `close` comes after the last line was read, `exit` may come before.
  const ended = once(child, 'close').then(wake)
  const handle: Running = {
    process: child,
    lines,
    line: (pattern, from = 0) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.slice(from).find((line) => pattern.test(line))
          if (found === undefined && child.exitCode === null && child.signalCode === null) return
          watchers = watchers.filter((each) => each !== look)
          if (found === undefined)
            reject(new Error(`ended without a line like ${String(pattern)}: ${lines.slice(-3).join(', ')}`))
          else resolve(found)
        }
        watchers.push(look)
        look()
      }),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
  running.push(handle)
  return handle
}

/** The newest version that was answered with `disk`. */
function lastAcked(child: Running, durability = 'disk'): number {
  const acked = child.lines.filter((line) => line.startsWith('ack') && line.endsWith(durability))
  return Number(acked.at(-1)?.split(' ')[1] ?? 0)
}

async function recoveredBy(child: Running): Promise<number> {
  return Number((await child.line(/^open/)).split(' ')[1])
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rollcall-journal-'))
})

afterEach(async () => {
  for (const child of running) await child.kill()
  running = []
  rmSync(directory, { recursive: true, force: true })
})

describe('kill -9', () => {
  it('loses nothing that was acknowledged, eight times in a row, through rotations', async () => {
    let least = 0
    for (let round = 0; round < 8; round++) {
      const child = start([directory, 'append', '300'])
      expect(await recoveredBy(child)).toBeGreaterThanOrEqual(least)
      await child.line(new RegExp(`^ack ${least + 300 + round * 37} `))
      await child.kill()
      least = lastAcked(child)
      expect(await verifyJournal(createDisk(), directory)).toMatchObject({ opens: true })
    }
    expect(readdirSync(directory).some((name) => name.endsWith('.snap'))).toBe(true)
    expect(await recoveredBy(start([directory, 'hold']))).toBeGreaterThanOrEqual(least)
  })

  it('an unfinished last write is cut and the node starts', async () => {
    const child = start([directory, 'append'])
    await child.line(/^ack 50 /)
    await child.kill()
    const logs = readdirSync(directory).filter((name) => name.endsWith('.log'))
    const log = join(directory, logs.at(-1) ?? '')
    truncateSync(log, statSync(log).size - 3)
    const recovered = await recoveredBy(start([directory, 'hold']))
    expect(recovered).toBeGreaterThan(0)
    expect(await verifyJournal(createDisk(), directory)).toMatchObject({ opens: true })
  })
})

describe('the lock', () => {
  it('a second process is refused and told the pid; after kill -9 the next one gets in', async () => {
    const first = start([directory, 'hold'])
    await first.line(/^open/)
    expect(await start([directory, 'hold']).line(/^refused/)).toBe(`refused locked ${first.process.pid}`)
    await first.kill()
    const second = start([directory, 'hold'])
    await second.line(/^open/)
    expect(await start([directory, 'hold']).line(/^refused/)).toBe(`refused locked ${second.process.pid}`)
  })

  it('a stopped process still holds it', async () => {
    const first = start([directory, 'hold'])
    await first.line(/^open/)
    first.process.kill('SIGSTOP')
    expect(await start([directory, 'hold']).line(/^refused/)).toBe(`refused locked ${first.process.pid}`)
  })

  it('of several that start at once after a crash exactly one gets in, every time', async () => {
    for (let round = 0; round < 6; round++) {
      const starters = Array.from({ length: 4 }, () => start([directory, 'hold']))
      const answers = await Promise.all(starters.map((starter) => starter.line(/^(open|refused locked)/)))
      expect(answers.filter((answer) => answer.startsWith('open'))).toHaveLength(1)
      await Promise.all(starters.map((starter) => starter.kill()))
    }
    // Dead generations are swept, so the lock does not grow with the number of starts.
    expect(readdirSync(join(directory, 'LOCK')).length).toBeLessThan(12)
  })

  it('works under a path longer than a socket address can be', async () => {
    const deep = join(directory, 'd'.repeat(90), 'e'.repeat(90))
    mkdirSync(deep, { recursive: true })
    const first = start([deep, 'hold'])
    await first.line(/^open/)
    expect(await start([deep, 'hold']).line(/^refused/)).toBe(`refused locked ${first.process.pid}`)
    await first.kill()
    await start([deep, 'hold']).line(/^open/)
  })
})

describe('a disk without room', () => {
  it('RLIMIT_FSIZE: a file that may not grow is given up for a new one, and nothing acknowledged is lost', async () => {
    // 96 KiB per file, less than the rotation's 200 kB: the log hits the limit again and again (EFBIG).
    const child = start([directory, 'append', '300'], 'ulimit -f 96')
    await child.line(/^ack \d+ memory/)
    await child.line(/disk$/, child.lines.length)
    await child.line(/memory$/, child.lines.length)
    await child.line(/disk$/, child.lines.length)
    await child.kill()
    expect(await recoveredBy(start([directory, 'hold']))).toBeGreaterThanOrEqual(lastAcked(child))
  })

  // Mounting needs privileges. Where they are missing, the test above is what is left of this subject.
  const probe = mkdtempSync(join(tmpdir(), 'rollcall-mount-'))
  const mayMount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe]).status === 0
  if (mayMount) spawnSync('umount', [probe])
  rmSync(probe, { recursive: true, force: true })

  it.runIf(isAble('a small file system', mayMount ? undefined : 'none may be mounted'))(
    'ENOSPC on a small file system: goes on in memory, recovers when there is room, starts while there is none',
    async () => {
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]).status).toBe(0)
      try {
        const ballast = join(directory, 'ballast')
        const data = join(directory, 'data')
        writeFileSync(ballast, Buffer.alloc(950_000))
        const child = start([data, 'append', '300'])
        await child.line(/^ack \d+ memory/)
        // Killed and started with the disk still full: what was acknowledged as durable is there.
        await child.kill()
        const second = start([data, 'append', '300'])
        expect(await recoveredBy(second)).toBeGreaterThanOrEqual(lastAcked(child))
        await second.line(/ memory$/)
        rmSync(ballast)
        await second.line(/disk$/, second.lines.length)
        await second.kill()
        expect(await recoveredBy(start([data, 'hold']))).toBeGreaterThanOrEqual(lastAcked(second))
      } finally {
        for (const child of running) await child.kill()
        spawnSync('umount', ['-l', directory])
      }
    },
  )
})
