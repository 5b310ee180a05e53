/** Log lines of a node: levels, formats, and a standard output that never blocks. */
import { isatty } from 'node:tty'
import type { Clock, Logger } from '@rollcall/core'
import { pino } from 'pino'
import { boundFields, escapeInJson, formatTextLine } from './logging-format.js'

/** The levels of the Logger port, most urgent first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** `auto`: text on a terminal, JSON otherwise. */
export const LOG_FORMATS = ['auto', 'json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Where lines go. */
export interface LogDestination {
  /** Takes one line with its line break. Never blocks and never throws. */
  write(line: string): void
  /** Writes what is buffered, blocking; right before an exit. */
  flush(): void
  /** Calls back with the number of lines lost, once there is room again. */
  onRelief(listener: (linesLost: number) => void): void
  /** Whether a person watches. */
  readonly isTerminal: boolean
}

export interface LoggerDeps {
  readonly clock: Clock
  /** Default: standard output. Logs are the output of a server, and containers collect them there. */
  readonly destination?: LogDestination
}

export interface LoggerOptions {
  /** Least urgent level that is written. */
  readonly level: LogLevel
  readonly format: LogFormat
}

/** The logger of a process. */
export interface ProcessLogger extends Logger {
  /** A logger that adds these fields to each line, such as `{ component: 'prober' }`. */
  child(fields: Readonly<Record<string, unknown>>): Logger
  /** Writes what is buffered, blocking; right before an exit. */
  flush(): void
}

/** Creates the logger of a process. */
export function createLogger(deps: LoggerDeps, options: LoggerOptions): ProcessLogger {
  const destination = deps.destination ?? createStandardOutput()
  const format = options.format === 'auto' ? (destination.isTerminal ? 'text' : 'json') : options.format
  const make =
    format === 'json'
      ? makeJson(deps.clock, destination, options.level)
      : makeText(deps.clock, destination, options.level)
  const root = make({})
  destination.onRelief((lines) => root.warn({ lines }, 'log lines lost because they were not read'))
  return { ...root, child: make, flush: () => destination.flush() }
}

type MakeLogger = (fields: Readonly<Record<string, unknown>>) => Logger

function makeJson(clock: Clock, destination: LogDestination, level: LogLevel): MakeLogger {
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(clock.wallNow()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: boundFields },
    },
    { write: (line) => destination.write(escapeInJson(line)) },
  )
  return (fields) => {
    const logger = root.child(fields)
    return {
      error: (own, message) => logger.error(own, message),
      warn: (own, message) => logger.warn(own, message),
      info: (own, message) => logger.info(own, message),
      debug: (own, message) => logger.debug(own, message),
    }
  }
}

function makeText(clock: Clock, destination: LogDestination, level: LogLevel): MakeLogger {
  const least = LOG_LEVELS.indexOf(level)
  return (fields) => {
    const at = (own: LogLevel): Logger['info'] => {
      if (LOG_LEVELS.indexOf(own) > least) return () => {}
      return (more, message) =>
        destination.write(formatTextLine(clock.wallNow(), own, message, { ...fields, ...more }))
    }
    return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }
  }
}

/** Most bytes of lines that wait for their reader; further lines are lost, and their number is logged later. */
const BUFFER_BYTES_MAX = 1_048_576

/**
 * Standard output, written by another thread: a pipe whose reader has stopped reading would otherwise stop the event
 * loop, and with it every verdict. When the reader is gone for good, lines go nowhere. Only the exit waits for a
 * reader that has stopped: Node joins its threads, and one of them is in the middle of a write.
 */
function createStandardOutput(): LogDestination {
  const stream = pino.destination({ fd: 1, sync: false, maxLength: BUFFER_BYTES_MAX })
  let linesLost = 0
  let gone = false
  stream.on('drop', () => linesLost++)
  stream.on('error', () => (gone = true))
  return {
    isTerminal: isatty(1),
    write(line) {
      if (!gone) stream.write(line)
    },
    flush() {
      if (gone) return
      try {
        stream.flushSync()
      } catch {
        gone = true
      }
    },
    onRelief(listener) {
      stream.on('drain', () => {
        if (linesLost === 0) return
        const lines = linesLost
        linesLost = 0
        listener(lines)
      })
    },
  }
}
