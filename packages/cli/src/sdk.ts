/** The SDK as commands use it. */
import { defined } from '@rollcall/wire'
import { connect, type Logger, type MachineTimes, type Rollcall } from '@rollcall/client'
import type { RegistryOptions } from './registry-options.js'

/** Connects the SDK for a command: no snapshots, and each of its warnings is handed to `note` as one line. */
export function connectFor(
  options: RegistryOptions,
  note: (text: string) => unknown,
  times: Partial<MachineTimes> = {},
): Promise<Rollcall> {
  return connect({
    registries: options.registries,
    ...defined({ namespace: options.namespace, tls: options.tls }),
    snapshotDir: false,
    logger: notesOf(note),
    times,
  })
}

/** Warnings and errors in one line each; information and debugging are dropped. */
function notesOf(tell: (text: string) => unknown): Logger {
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    const told = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')
    const pairs = told.map(
      ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    tell(`rollcall: ${[message, ...pairs].join(' ')}`)
  }
  return { error: note, warn: note, info: () => undefined, debug: () => undefined }
}
