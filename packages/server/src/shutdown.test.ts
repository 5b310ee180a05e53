/** The orderly end of a process that is not this one. */
import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSystemClock } from './clock.js'
import { createShutdown } from './shutdown.js'
import type { ShutdownOptions, ShutdownProcess } from './shutdown.js'

class FakeProcess extends EventEmitter implements ShutdownProcess {
  readonly trace: string[]
  exitCode: unknown

  constructor(trace: string[]) {
    super()
    this.trace = trace
  }

  exit(code: number): void {
    this.trace.push(`exit ${code}`)
  }
}

function setUp(steps: ShutdownOptions['steps'], deadlineMs?: number) {
  const trace: string[] = []
  const own = new FakeProcess(trace)
  const log = (level: string) => (_fields: unknown, message: string) =>
    void trace.push(`${level}: ${message}`)
  const shutdown = createShutdown(
    {
      clock: createSystemClock(),
      logger: { error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug') },
      flush: () => trace.push('flush'),
      process: own,
    },
    deadlineMs === undefined ? { steps } : { steps, deadlineMs },
  )
  shutdown.start()
  return { shutdown, own, trace }
}

const never = (): Promise<void> => new Promise(() => {})

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('shutting down', () => {
  it('runs the steps in order, one after the other, flushes the log and exits 0', async () => {
    const { own, trace } = setUp([
      {
        name: 'listener',
        async run() {
          trace.push('listener begins')
          await new Promise<void>((resolve) => void setTimeout(resolve, 100))
          trace.push('listener ends')
        },
      },
      { name: 'journal', run: () => void trace.push('journal') },
    ])
    own.emit('SIGTERM')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(trace).toEqual([
      'info: stopping',
      'listener begins',
      'listener ends',
      'journal',
      'info: stopped',
      'flush',
      'exit 0',
    ])
  })

  it('goes on after a failed step, and exits 1', async () => {
    const { own, trace } = setUp([
      { name: 'listener', run: () => Promise.reject(new Error('stuck')) },
      { name: 'journal', run: () => void trace.push('journal') },
    ])
    own.emit('SIGINT')
    await vi.advanceTimersByTimeAsync(0)
    expect(trace).toEqual([
      'info: stopping',
      'error: stopping step failed',
      'journal',
      'info: stopped',
      'flush',
      'exit 1',
    ])
  })

  it('gives up after the deadline', async () => {
    const { own, trace } = setUp([{ name: 'listener', run: never }])
    own.emit('SIGTERM')
    await vi.advanceTimersByTimeAsync(9_999)
    expect(trace).toEqual(['info: stopping'])
    await vi.advanceTimersByTimeAsync(1)
    expect(trace).toEqual(['info: stopping', 'error: stopping took too long', 'flush', 'exit 1'])
  })

  it('runs no further step and exits once when the deadline has passed', async () => {
    let release = (): void => {}
    const { own, trace } = setUp(
      [
        { name: 'listener', run: () => new Promise<void>((resolve) => (release = resolve)) },
        { name: 'journal', run: () => void trace.push('journal') },
      ],
      50,
    )
    own.emit('SIGTERM')
    await vi.advanceTimersByTimeAsync(50)
    release()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(trace).toEqual(['info: stopping', 'error: stopping took too long', 'flush', 'exit 1'])
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('exits at once on a second signal: %s', (signal, code) => {
    const { own, trace } = setUp([{ name: 'listener', run: never }])
    own.emit('SIGTERM')
    own.emit(signal)
    expect(trace).toEqual(['info: stopping', 'warn: second signal, exiting at once', 'flush', `exit ${code}`])
  })

  it('would not pass for a success if the event loop ran empty in the middle of a step', () => {
    const { own } = setUp([{ name: 'listener', run: never }])
    expect(own.exitCode).toBeUndefined()
    own.emit('SIGTERM')
    expect(own.exitCode).toBe(1)
  })

  it.each(['uncaughtException', 'unhandledRejection'])('logs %s and exits 1', (event) => {
    const { own, trace } = setUp([])
    own.emit(event, new Error('a mistake'))
    expect(trace).toEqual(['error: a mistake of this program; exiting', 'flush', 'exit 1'])
  })

  it('happens once, however often it is asked for', async () => {
    const run = vi.fn()
    const { shutdown, trace } = setUp([{ name: 'listener', run }])
    await Promise.all([shutdown.stop('tests'), shutdown.stop('tests')])
    expect(run).toHaveBeenCalledTimes(1)
    expect(trace.filter((line) => line.startsWith('exit'))).toEqual(['exit 0'])
  })

  it('leaves no listener behind', () => {
    const { shutdown, own } = setUp([])
    shutdown.start()
    expect(own.listenerCount('SIGTERM')).toBe(1)
    shutdown.close()
    shutdown.close()
    expect(own.eventNames()).toEqual([])
  })
})
