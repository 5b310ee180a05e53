/** The way of an answer to its reader: piece by piece, each when the one before was taken. */
import type { ServerResponse } from 'node:http'
import type { Clock } from '@rollcall/core'

/** A part of a body. */
export interface Piece {
  readonly data: string | Uint8Array
  /** Whether it is the last. */
  readonly done: boolean
}

/** Bytes of a body that are handed over at a time, of which a reader has to take something within its time. */
const PIECE_BYTES = 65_536

/**
 * Sends pieces behind a head that was written. A reader that takes none for `stalledMsMax` is cut off. What `next` throws
 * is handed to `failed`.
 */
export function transmit(
  res: ServerResponse,
  { clock, stalledMsMax }: { readonly clock: Clock; readonly stalledMsMax: number },
  next: () => Piece,
  failed: (error: unknown) => void,
): void {
  let cancel = (): void => {}
  const send = ({ data, done }: Piece): void => {
    const waits = done ? !res.end(data).writableFinished : !res.write(data)
    if (waits) cancel = clock.setTimer(stalledMsMax, () => res.destroy())
    else if (!done) cancel = clock.setTimer(0, step)
    if (waits && !done) res.once('drain', step)
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
