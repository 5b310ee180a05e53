/**
 * Answers of any length, made piece by piece as their reader takes them. Neither the memory nor the turn of the event loop
 * that one takes grows with its length, and other requests are answered in between. Where work may come to nothing, such as
 * the search for what a query chooses, its maker yields an empty piece for each step of it.
 */
import type { Exchange } from './exchange.js'
import type { Piece } from './transmit.js'

/** Characters that are made and sent in one turn, and one piece more. */
const TURN_CHARS = 65_536

/** Pieces that are made in one turn: an empty one is work of which nothing came. */
const TURN_PIECES = 1_000

/** Most that such an answer holds while its reader takes it. */
const HELD_BYTES = 2 * TURN_CHARS

/**
 * Answers with the JSON that `pieces` yields, whole where it fits into one turn. What they throw before that becomes the
 * answer; later it ends the connection within the answer, which no client takes for a whole one. So does a reader that
 * takes nothing for too long.
 */
export function answerInPieces(exchange: Exchange, pieces: Iterator<string>): void {
  const first = gather(pieces)
  if (first.done) exchange.text(200, first.data)
  else {
    let at: Piece | undefined = first
    exchange.inPieces(HELD_BYTES, () => {
      const piece = at ?? gather(pieces)
      at = undefined
      return piece
    })
  }
}

function gather(pieces: Iterator<string>): Piece & { readonly data: string } {
  let data = ''
  for (let made = 0; data.length < TURN_CHARS && made < TURN_PIECES; made++) {
    const piece = pieces.next()
    if (piece.done === true) return { data, done: true }
    data += piece.value
  }
  return { data, done: false }
}
