/**
 * Lines that others can bring about as often as they like: so many in a time, and of the rest the number. A log that is
 * flooded hides what it holds.
 */
import type { Clock, Logger } from '@rollcall/core'

export interface BoundedLogOptions {
  /** Most lines in `windowMs`. */
  readonly linesMax: number
  readonly windowMs: number
  /** What the left out lines were about, for the line that gives their number. */
  readonly about: string
}

/** Writes a line, or counts it where there were too many. */
export type BoundedLog = (
  level: 'warn' | 'info',
  fields: Readonly<Record<string, unknown>>,
  message: string,
) => void

/** Creates the log. The number of lines that were left out is told when their window ends. */
export function createBoundedLog(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  { linesMax, windowMs, about }: BoundedLogOptions,
): BoundedLog {
  let lines = 0
  let leftOut = 0
  let windowIsOpen = false
  const close = (): void => {
    windowIsOpen = false
    lines = 0
    if (leftOut === 0) return
    logger.warn({ lines: leftOut, about, windowMs }, 'lines left out of the log')
    leftOut = 0
  }
  return (level, fields, message) => {
    if (!windowIsOpen) {
      windowIsOpen = true
      clock.setTimer(windowMs, close)
    }
    if (lines >= linesMax) leftOut++
    else {
      lines++
      logger[level](fields, message)
    }
  }
}
