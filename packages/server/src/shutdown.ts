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
   * passed; the second exits at once with 128 + its number) and for errors nobody caught, which are mistakes of
   * ours: logged, and the process exits with 1 rather than go on in a state nobody thought of. Idempotent.
   */
  start(): void
  /** Does what the first signal does. Resolves after the exit was asked for. Idempotent. */
  stop(reason: string): Promise<void>
  /** Stops listening, for tests and embedders. Idempotent. */
  close(): void
}

/** Creates the shutdown of a process. */
export function createShutdown(deps: ShutdownDeps, options: ShutdownOptions): Shutdown {
  const { clock, logger } = deps
  const own = deps.process ?? process
  const deadlineMs = options.deadlineMs ?? 10_000
  let stopping: Promise<void> | undefined
  let exited = false

  function exit(code: number): void {
    if (exited) return
    exited = true
    deps.flush?.()
    own.exit(code)
  }

  async function run(reason: string): Promise<void> {
    const beganMs = clock.now()
    logger.info({ reason }, 'stopping')
    // If the loop runs empty now, a step waits for something that will never come.
    own.exitCode = 1
    let current = ''
    let failed = false
    const cancelDeadline = clock.setTimer(deadlineMs, () => {
      logger.error({ step: current, deadlineMs }, 'stopping took too long')
      exit(1)
    })
    for (const step of options.steps) {
      if (exited) return
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
    if (exited) return
    logger.info({ durationMs: Math.round(clock.now() - beganMs) }, 'stopped')
    exit(failed ? 1 : 0)
  }

  function stop(reason: string): Promise<void> {
    stopping ??= run(reason)
    return stopping
  }

  function crash(event: string): (error: unknown) => void {
    return (error) => {
      logger.error({ error, event }, 'a mistake of this program; exiting')
      exit(1)
    }
  }

  function onSignal(signal: StopSignal): () => void {
    return () => {
      if (stopping !== undefined) {
        logger.warn({ reason: signal }, 'second signal, exiting at once')
        return exit(128 + constants.signals[signal])
      }
      // `run` catches what steps throw; anything else is a mistake and ends in `unhandledRejection`.
      void stop(signal)
    }
  }

  const listeners: readonly (readonly [string, (value: unknown) => void])[] = [
    ['SIGTERM', onSignal('SIGTERM')],
    ['SIGINT', onSignal('SIGINT')],
    ['uncaughtException', crash('uncaughtException')],
    ['unhandledRejection', crash('unhandledRejection')],
  ]
  let listening = false
  return {
    stop,
    start() {
      if (listening) return
      listening = true
      for (const [event, listener] of listeners) own.on(event, listener)
    },
    close() {
      if (!listening) return
      listening = false
      for (const [event, listener] of listeners) own.off(event, listener)
    },
  }
}
