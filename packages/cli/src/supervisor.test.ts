/** `rollcall run`: a program as an instance, and its signals. */
import type { Registration, RegisterOptions, RegistrationState, Rollcall } from '@rollcall/client'
import { describe, expect, it } from 'vitest'
import type { PortLook } from './port-watch.js'
import { createFakeShell, type FakeShell } from './shell.fixture.js'
import { supervise, type ProgramEnd, type SupervisorDeps } from './supervisor.js'

interface Stage {
  readonly shell: FakeShell
  readonly log: string[]
  readonly exitCode: Promise<number>
  /** Ends the program. */
  readonly end: (how: ProgramEnd) => void
  /** What every look at the port says from now on. */
  port: PortLook | undefined
  /** Lets everything happen that needs no time. */
  readonly settle: () => Promise<void>
}

interface Script {
  readonly drainMs?: number
  readonly wait?: boolean
  readonly state?: RegistrationState
  readonly watch?: boolean
  readonly sharesTerminal?: boolean
  readonly isInit?: boolean
  /** How often others of its group are seen to run after its end. */
  readonly othersLooks?: number
  /** How often the port is looked at in vain. */
  readonly closedLooks?: number
  register?(options: RegisterOptions, signal: AbortSignal): Promise<void>
}

function play(script: Script = {}): Stage {
  const shell = createFakeShell()
  const log: string[] = []
  let end = (_how: ProgramEnd): void => undefined
  const ended = new Promise<ProgramEnd>((resolve) => {
    end = resolve
  })
  const registration = {
    service: 'orders',
    group: 'default',
    id: 'x',
    state: script.state ?? 'up',
    drain: () => Promise.resolve(void log.push('drain')),
    setState: (state: string) => Promise.resolve(void log.push(state)),
  } as unknown as Registration
  const client = {
    async register(options: RegisterOptions, { signal }: { readonly signal: AbortSignal }) {
      log.push('register')
      await script.register?.(options, signal)
      return registration
    },
    close: () => Promise.resolve(void log.push('close')),
  } as unknown as Rollcall
  let looks = 0
  let others = script.othersLooks ?? 0
  const deps: SupervisorDeps = {
    clock: shell.clock,
    onSignal: (signals, listener) => shell.onSignal(signals, listener),
    start: () => {
      log.push('start')
      return { ended, signal: (signal) => void log.push(signal), leftOthers: () => others-- > 0 }
    },
    look: () => Promise.resolve(stage.port ?? (looks++ >= (script.closedLooks ?? 0) ? 'open' : 'refused')),
    connect: () => Promise.resolve(client),
    note: (text) => shell.err.write(`${text}\n`),
    sharesTerminal: script.sharesTerminal ?? false,
    isInit: script.isInit ?? false,
  }
  const options = {
    registration: { service: 'orders', port: 80 },
    wait: script.wait ?? true,
    watch: script.watch ?? true,
    drainMs: script.drainMs ?? 1_000,
  }
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  const stage: Stage = {
    ...{ shell, log, settle, port: undefined, end: (how) => end(how) },
    exitCode: Promise.resolve(0),
  }
  return Object.assign(stage, { exitCode: supervise(deps, options) })
}

describe('a supervised program', () => {
  it('is registered while it runs, and its exit code is ours', async () => {
    const { log, exitCode, end, settle } = play()
    await settle()
    end({ code: 7 })
    expect(await exitCode).toBe(7)
    expect(log).toEqual(['start', 'register', 'close'])
  })

  it('killed by a signal gives 128 plus its number, as in every shell', async () => {
    const { exitCode, end } = play()
    end({ signal: 'SIGKILL' })
    expect(await exitCode).toBe(137)
  })

  it.each([
    ['not found', 127],
    ['not executable', 126],
  ] as const)('%s gives %i and is never registered', async (failure, code) => {
    const { exitCode, end, shell, log } = play({ closedLooks: 5 })
    end({ failure, message: 'nope: no such program' })
    expect(await exitCode).toBe(code)
    expect(shell.stderr()).toBe('rollcall: nope: no such program\n')
    expect(log).toEqual(['start'])
  })

  it('is not registered before its port accepts connections', async () => {
    const { shell, log, exitCode, end, settle } = play({ closedLooks: 2 })
    await settle()
    shell.clock.advance(100)
    await settle()
    expect(log).toEqual(['start'])
    shell.clock.advance(100)
    await settle()
    expect(log).toEqual(['start', 'register'])
    end({ code: 0 })
    await exitCode
  })

  it('is registered at once when told so', async () => {
    const { log, exitCode, end, settle } = play({ closedLooks: 1_000, wait: false })
    await settle()
    expect(log).toEqual(['start', 'register'])
    end({ code: 0 })
    await exitCode
  })

  it('that ends before its port opens is never registered, and leaves no timer', async () => {
    const { shell, log, exitCode, end, settle } = play({ closedLooks: 1_000 })
    await settle()
    end({ code: 1 })
    expect(await exitCode).toBe(1)
    expect(log).toEqual(['start'])
    expect(shell.clock.timers.length).toBe(0)
  })

  it('says it once when the port stays closed', async () => {
    const { shell, exitCode, end, settle } = play({ closedLooks: 1_000 })
    for (let look = 0; look < 150; look++) {
      await settle()
      shell.clock.advance(100)
    }
    expect(shell.stderr().match(/nothing accepts connections at port 80/g)).toHaveLength(1)
    end({ code: 0 })
    await exitCode
  })

  it('runs on when it is refused', async () => {
    const { shell, log, exitCode, end, settle } = play({
      register: () => Promise.reject(new Error('orders is not declared')),
    })
    await settle()
    expect(shell.stderr()).toBe('rollcall: not registered, the program runs on: orders is not declared\n')
    end({ code: 0 })
    expect(await exitCode).toBe(0)
    expect(log).toEqual(['start', 'register', 'close'])
  })

  it('gives up a registration under way when it ends', async () => {
    const { log, exitCode, end, settle } = play({
      register: (_options, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    })
    await settle()
    end({ code: 0 })
    expect(await exitCode).toBe(0)
    expect(log).toEqual(['start', 'register', 'close'])
  })
})

describe('signals', () => {
  it('that end it come after consumers had time to turn away', async () => {
    const { shell, log, exitCode, end, settle } = play({ drainMs: 400 })
    await settle()
    shell.raise('SIGTERM')
    shell.clock.advance(399)
    await settle()
    expect(log).toEqual(['start', 'register', 'drain'])
    shell.clock.advance(1)
    await settle()
    expect(log.at(-1)).toBe('SIGTERM')
    end({ code: 0 })
    await exitCode
  })

  it('are passed on at once the second time', async () => {
    const { shell, log, exitCode, end, settle } = play()
    await settle()
    shell.raise('SIGTERM')
    shell.raise('SIGTERM')
    expect(log.slice(2)).toEqual(['drain', 'SIGTERM'])
    end({ signal: 'SIGTERM' })
    expect(await exitCode).toBe(143)
  })

  it.each([
    ['it is not registered yet', { closedLooks: 1_000 }, ['start', 'SIGTERM']],
    ['no registry has it', { state: 'pending' }, ['start', 'register', 'drain', 'SIGTERM']],
    ['no time is given', { drainMs: 0 }, ['start', 'register', 'drain', 'SIGTERM']],
  ] satisfies [string, Script, string[]][])(
    'are passed on at once when %s',
    async (_when, script, expected) => {
      const { shell, log, exitCode, end, settle } = play(script)
      await settle()
      shell.raise('SIGTERM')
      expect(log).toEqual(expected)
      end({ code: 0 })
      await exitCode
    },
  )

  it('keep a program from being registered that was told to end', async () => {
    const { shell, log, exitCode, end, settle } = play({ closedLooks: 1 })
    await settle()
    shell.raise('SIGTERM')
    shell.clock.advance(1_000)
    await settle()
    expect(log).toEqual(['start', 'SIGTERM'])
    end({ code: 0 })
    await exitCode
  })

  it('that mean something else are passed on without a word to consumers', async () => {
    const { shell, log, exitCode, end, settle } = play()
    await settle()
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) shell.raise(signal)
    expect(log.slice(2)).toEqual(['SIGHUP', 'SIGUSR1', 'SIGUSR2'])
    end({ code: 0 })
    await exitCode
  })

  it('of a shared terminal reach the program by themselves', async () => {
    const { shell, log, exitCode, end, settle } = play({ sharesTerminal: true })
    await settle()
    shell.raise('SIGINT')
    shell.clock.advance(5_000)
    await settle()
    expect(log.slice(2)).toEqual(['drain'])
    end({ signal: 'SIGINT' })
    expect(await exitCode).toBe(130)
  })

  it('are not listened to after the end', async () => {
    const { shell, exitCode, end } = play()
    end({ code: 0 })
    await exitCode
    expect(shell.raise('SIGTERM')).toBe(false)
  })
})

describe('the port of a registered program', () => {
  /** Lets time pass in steps of a tenth of a second. */
  const pass = async ({ shell, settle }: Stage, ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      await settle()
      shell.clock.advance(100)
    }
    await settle()
  }

  it('is watched: while it refuses there are no calls, and it comes back by itself', async () => {
    const stage = play()
    await pass(stage, 5_000)
    expect(stage.log).toEqual(['start', 'register'])
    stage.port = 'refused'
    await pass(stage, 2_300)
    expect(stage.log.slice(2)).toEqual(['starting'])
    await pass(stage, 10_000)
    stage.port = 'open'
    await pass(stage, 2_000)
    expect(stage.log.slice(2)).toEqual(['starting', 'up'])
    expect(stage.shell.stderr()).toMatch(/port 80 refuses connections.*\n.*port 80 accepts connections again/)
    stage.end({ code: 0 })
    await stage.exitCode
    expect(stage.shell.clock.timers.length).toBe(0)
  })

  it.each(['open', 'unknown'] as const)('that refused twice and then is %s changes nothing', async (then) => {
    const stage = play()
    await pass(stage, 100)
    stage.port = 'refused'
    await pass(stage, 2_000)
    stage.port = then
    await pass(stage, 20_000)
    expect(stage.log).toEqual(['start', 'register'])
    stage.end({ code: 0 })
    await stage.exitCode
  })

  it('is nothing to judge by before it was open', async () => {
    const stage = play({ wait: false })
    stage.port = 'refused'
    await pass(stage, 20_000)
    expect(stage.log).toEqual(['start', 'register'])
    stage.end({ code: 0 })
    await stage.exitCode
  })

  it.each([
    ['the program was told to end', true],
    ['told so', false],
  ])('is not watched when %s', async (_why, watch) => {
    const stage = play({ watch })
    await pass(stage, 100)
    if (watch) stage.shell.raise('SIGTERM')
    stage.port = 'refused'
    await pass(stage, 20_000)
    expect(stage.log).not.toContain('starting')
    stage.end({ code: 0 })
    await stage.exitCode
  })
})

describe('the processes of a program', () => {
  it('that were told to end with it have time for that, after it was deregistered', async () => {
    const { shell, log, exitCode, end, settle } = play({ othersLooks: 3, drainMs: 0 })
    await settle()
    shell.raise('SIGTERM')
    end({ signal: 'SIGTERM' })
    await settle()
    expect(log.at(-1)).toBe('close')
    shell.raise('SIGTERM')
    expect(log.slice(-2)).toEqual(['close', 'SIGTERM'])
    for (let look = 0; look < 3; look++) {
      expect(shell.clock.timers.length).toBe(1)
      shell.clock.advance(100)
      await settle()
    }
    expect(await exitCode).toBe(143)
  })

  it('are waited for ten seconds, and not at all when the program ended by itself', async () => {
    const told = play({ othersLooks: Infinity, drainMs: 0 })
    await told.settle()
    told.shell.raise('SIGTERM')
    told.end({ code: 0 })
    for (let look = 0; look < 100; look++) {
      await told.settle()
      told.shell.clock.advance(100)
    }
    expect(await told.exitCode).toBe(0)
    const byItself = play({ othersLooks: Infinity })
    await byItself.settle()
    byItself.end({ code: 3 })
    expect(await byItself.exitCode).toBe(3)
  })

  it.each([true, false])('may need an init: process 1 says so once (%s)', async (isInit) => {
    const { shell, exitCode, end } = play({ isInit })
    end({ code: 0 })
    await exitCode
    expect(shell.stderr().match(/docker run --init/g) ?? []).toHaveLength(isInit ? 1 : 0)
  })
})
