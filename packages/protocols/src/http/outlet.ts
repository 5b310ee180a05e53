/**
 * The write side of a subscriber's connection, bounded: beyond its bound it counts as stalled until everything
 * was sent, and one that stays stalled is given up. Each write is one whole unit (frame or chunk), so units of
 * different writers never interleave.
 */
import type { Writable } from 'node:stream'
import type { Clock } from '@rollcall/core'
import type { Unsent } from './unsent.js'

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
  /** Unsent bytes beyond which it is stalled; where its peer may hold no more, what the connection buffers by itself. */
  readonly bufferBytesMax: number
  readonly stalledMsMax: number
}

/** In whose name bytes are unsent, and where they are counted. */
export interface OutletAccount {
  readonly unsent: Unsent
  readonly peer: string | undefined
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
  { unsent, peer }: OutletAccount,
  listener: OutletListener,
): Outlet {
  const debts = new Debts(socket, (unit) => unsent.hold(peer, unit))
  // Below its high-water mark a socket does not say when it has drained.
  const bytesMax = Math.max(options.bufferBytesMax, socket.writableHighWaterMark)
  let stalled = false
  let cancelExpiry = (): void => {}
  const measure = (): void => {
    const { writableLength, writableHighWaterMark } = socket
    if (stalled || writableLength <= writableHighWaterMark) return
    if (writableLength <= bytesMax && !unsent.isFull(peer)) return
    stalled = true
    cancelExpiry = clock.setTimer(options.stalledMsMax, () => listener.expired())
    listener.stalled()
  }
  const onDrain = (): void => {
    debts.settle()
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
      debts.add(unit)
      measure()
    },
    writeAll(parts, sent) {
      if (!socket.writable) return
      socket.cork()
      parts.forEach((part, index) => socket.write(part, index === parts.length - 1 ? sent : undefined))
      socket.uncork()
      for (const part of parts) debts.add(part)
      measure()
    },
    close() {
      cancelExpiry()
      socket.off('drain', onDrain)
      debts.forgive()
    },
  }
}

/** The units that a connection has not sent yet. Below its high-water mark it does not say when it has: that little is not counted. */
class Debts {
  private readonly socket: Writable
  private readonly hold: (unit: Buffer) => () => void
  private readonly open: { readonly bytes: number; readonly release: () => void }[] = []
  private bytes = 0

  constructor(socket: Writable, hold: (unit: Buffer) => () => void) {
    this.socket = socket
    this.hold = hold
  }

  /** Counts a unit that was just written, and no longer those that were sent by now. */
  add(unit: Buffer): void {
    if (!this.socket.writableNeedDrain) return
    this.bytes += unit.length
    this.open.push({ bytes: unit.length, release: this.hold(unit) })
    this.settle()
  }

  settle(): void {
    this.releaseTo(this.socket.writableLength)
  }

  forgive(): void {
    this.releaseTo(0)
  }

  private releaseTo(unsentBytes: number): void {
    let sent = 0
    for (const { bytes, release } of this.open) {
      if (this.bytes - bytes < unsentBytes) break
      this.bytes -= bytes
      sent++
      release()
    }
    this.open.splice(0, sent)
  }
}
