/** The orderly end of a process: signals, the steps of stopping, and errors that no code caught. */
import { constants } from 'node:os'
import type { Clock, Logger } from '@rollcall/core'

type StopSignal = 'SIGTERM' | 'SIGINT'

/** The part of `process` that shutting down needs. */
export interface ShutdownProcess {
  on(event: string, listener: (value: unknown) => void): unknown
  off(event: string, listener: (value: unknown) => void): unknown
  exit(code: number): void
  /** The code with which the process ends if its event loop runs empty. */
  exitCode?: unknown
}

export interface ShutdownStep {
  /** For the log, such as `listener`. */
  readonly name: string
  run(): void | Promise<void>
}

export interface ShutdownDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Writes out buffered log lines; called right before each exit. */
  readonly flush?: () => void
  /** Default: this process. */
  readonly process?: ShutdownProcess
}

export interface ShutdownOptions {
  /** Run one after the other: first what accepts work, last what makes it durable. */
  readonly steps: readonly ShutdownStep[]
  /** All steps together, then the process exits with 1. Default 10 s: a third of what orchestrators allow. */
  readonly deadlineMs?: number
}

/** Ends the process in good order. */
export interface Shutdown {
  /**
   * Listens for SIGTERM and SIGINT (the first runs the steps and exits 0, or 1 if one failed or the deadline
   * passed; the second exits at once with 128 + its number) and for uncaught errors and rejections, which are mistakes
   * of ours: logged, and the process exits with 1 rather than go on in an unknown state. Idempotent.
   */
  start(): void
  /** Does what the first signal does. Resolves after the exit was asked for. Idempotent. */
  stop(reason: string): Promise<void>
  /** Stops listening, for tests and embedders. Idempotent. */
  close(): void
}

/** Creates the shutdown of a process. */
export function createShutdown(deps: ShutdownDeps, options: ShutdownOptions): Shutdown {
  return new ProcessShutdown(deps, options)
}

class ProcessShutdown implements Shutdown {
  private readonly deps: ShutdownDeps
  private readonly process: ShutdownProcess
  private readonly steps: readonly ShutdownStep[]
  private readonly deadlineMs: number
  private readonly listeners: readonly (readonly [event: string, listener: (value: unknown) => void])[]
  private listening = false
  private stopping: Promise<void> | undefined
  private exited = false

  constructor(deps: ShutdownDeps, options: ShutdownOptions) {
    this.deps = deps
    this.process = deps.process ?? process
    this.steps = options.steps
    this.deadlineMs = options.deadlineMs ?? 10_000
    this.listeners = [
      ['SIGTERM', () => this.onSignal('SIGTERM')],
      ['SIGINT', () => this.onSignal('SIGINT')],
      ['uncaughtException', (error) => this.crash('uncaughtException', error)],
      ['unhandledRejection', (error) => this.crash('unhandledRejection', error)],
    ]
  }

  start(): void {
    if (this.listening) return
    this.listening = true
    for (const [event, listener] of this.listeners) this.process.on(event, listener)
  }

  stop(reason: string): Promise<void> {
    this.stopping ??= this.run(reason)
    return this.stopping
  }

  close(): void {
    if (!this.listening) return
    this.listening = false
    for (const [event, listener] of this.listeners) this.process.off(event, listener)
  }

  private async run(reason: string): Promise<void> {
    const { clock, logger } = this.deps
    const beganMs = clock.now()
    logger.info({ reason }, 'stopping')
    // If the loop runs empty now, a step waits for something that will never come.
    this.process.exitCode = 1
    let current = ''
    let failed = false
    const cancelDeadline = clock.setTimer(this.deadlineMs, () => {
      logger.error({ step: current, deadlineMs: this.deadlineMs }, 'stopping took too long')
      this.exit(1)
    })
    for (const step of this.steps) {
      if (this.exited) return
      current = step.name
      try {
        await step.run()
      } catch (error) {
        // The steps that follow protect data: a failed listener must not keep the journal from its last commit.
        failed = true
        logger.error({ step: step.name, error }, 'stopping step failed')
      }
    }
    cancelDeadline()
    if (this.exited) return
    logger.info({ durationMs: Math.round(clock.now() - beganMs) }, 'stopped')
    this.exit(failed ? 1 : 0)
  }

  private onSignal(signal: StopSignal): void {
    if (this.stopping !== undefined) {
      this.deps.logger.warn({ reason: signal }, 'second signal, exiting at once')
      return this.exit(128 + constants.signals[signal])
    }
    // `run` catches what steps throw; anything else is a mistake and ends in `unhandledRejection`.
    void this.stop(signal)
  }

  private crash(event: string, error: unknown): void {
    this.deps.logger.error({ error, event }, 'a mistake of this program; exiting')
    this.exit(1)
  }

  private exit(code: number): void {
    if (this.exited) return
    this.exited = true
    this.deps.flush?.()
    this.process.exit(code)
  }
}
