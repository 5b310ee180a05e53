/** The way of an answer to its reader: piece by piece, each when the one before was taken. */
import type { ServerResponse } from 'node:http'
import type { Clock } from '@rollcall/core'
import type { Chunks } from './chunks.js'

/** A part of a body. */
export interface Piece {
  readonly data: string | Uint8Array
  /** Whether it is the last. */
  readonly done: boolean
}

/** Bytes of a body that are handed over at a time, of which a reader has to take something within its time. */
const PIECE_BYTES = 65_536

interface Patience {
  readonly clock: Clock
  /** How long a reader may take nothing before it is cut off. */
  readonly stalledMsMax: number
}

/** Sends a body, or the last of it, behind a head that was written. What the system takes at once costs no more than that. */
export function sendLast(
  res: ServerResponse,
  { clock, stalledMsMax }: Patience,
  data: string | Uint8Array,
): void {
  if (res.end(data).writableFinished) return
  res.once(
    'close',
    clock.setTimer(stalledMsMax, () => res.destroy()),
  )
}

/**
 * Sends pieces behind a head that was written. A reader that takes none for `stalledMsMax` is cut off. What `next` throws
 * is handed to `failed`.
 */
export function transmit(
  res: ServerResponse,
  patience: Patience,
  next: () => Piece,
  failed: (error: unknown) => void,
): void {
  const { clock, stalledMsMax } = patience
  let cancel = (): void => {}
  const send = ({ data, done }: Piece): void => {
    if (done) return sendLast(res, patience, data)
    if (res.write(data)) {
      cancel = clock.setTimer(0, step)
    } else {
      cancel = clock.setTimer(stalledMsMax, () => res.destroy())
      res.once('drain', step)
    }
  }
  const step = (): void => {
    cancel()
    try {
      send(next())
    } catch (error) {
      failed(error)
    }
  }
  step()
  if (res.writableFinished) return
  res.once('close', () => {
    cancel()
    res.off('drain', step)
  })
}

/** The pieces of bytes that are there already; they are not copied. */
export function piecesOf(body: Uint8Array): () => Piece {
  let at = 0
  return () => {
    const data = body.subarray(at, (at += PIECE_BYTES))
    return { data, done: at >= body.length }
  }
}

/** The same for what is in parts, each of which is handed over by itself. */
export function chunksOf({ parts }: Pick<Chunks, 'parts'>): () => Piece {
  let index = 0
  return () => ({ data: parts[index++] ?? NOTHING, done: index >= parts.length })
}

const NOTHING = new Uint8Array(0)
