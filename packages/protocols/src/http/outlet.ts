/**
 * The write side of a subscriber's connection, bounded: beyond its bound it counts as stalled until everything
 * was sent, and one that stays stalled is given up. Each write is one whole unit (frame or chunk), so units of
 * different writers never interleave.
 */
import type { Writable } from 'node:stream'
import type { Clock } from '@rollcall/core'

/** What is told about the state of the outlet. */
export interface OutletListener {
  /** More is unsent than may be. Called from within the write that found out. */
  stalled(): void
  /** Everything was sent. */
  drained(): void
  /** It stayed stalled for too long. */
  expired(): void
}

export interface OutletOptions {
  readonly bufferBytesMax: number
  readonly stalledMsMax: number
}

export interface Outlet {
  /** Unsent bytes. */
  readonly bytes: number
  /** Whether more is unsent than may be. */
  readonly stalled: boolean
  /** Writes one unit, unless the connection is gone. Never waits; `sent` is called when the unit was handed on. */
  write(unit: Buffer, sent?: () => void): void
  /** Writes parts that belong together; `sent` is called when all were handed on. */
  writeAll(parts: readonly Buffer[], sent?: () => void): void
  /** Forgets the connection. Idempotent. */
  close(): void
}

/** Wraps the socket of a connection whose head was sent already. */
export function createOutlet(
  socket: Writable,
  clock: Clock,
  options: OutletOptions,
  listener: OutletListener,
): Outlet {
  // Below its high-water mark a socket does not say when it has drained.
  const bytesMax = Math.max(options.bufferBytesMax, socket.writableHighWaterMark)
  let stalled = false
  let cancelExpiry = (): void => {}
  const measure = (): void => {
    if (stalled || socket.writableLength <= bytesMax) return
    stalled = true
    cancelExpiry = clock.setTimer(options.stalledMsMax, () => listener.expired())
    listener.stalled()
  }
  const onDrain = (): void => {
    if (!stalled) return
    stalled = false
    cancelExpiry()
    listener.drained()
  }
  socket.on('drain', onDrain)
  return {
    get bytes() {
      return socket.writableLength
    },
    get stalled() {
      return stalled
    },
    write(unit, sent) {
      if (!socket.writable) return
      socket.write(unit, sent)
      measure()
    },
    writeAll(parts, sent) {
      if (!socket.writable) return
      socket.cork()
      parts.forEach((part, index) => socket.write(part, index === parts.length - 1 ? sent : undefined))
      socket.uncork()
      measure()
    },
    close() {
      cancelExpiry()
      socket.off('drain', onDrain)
    },
  }
}
