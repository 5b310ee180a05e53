/**
 * Answers of any length, made piece by piece as their reader takes them. Neither the memory nor the turn of the event loop
 * that one takes grows with its length, and other requests are answered in between. Where work may come to nothing, such as
 * the search for what a query chooses, its maker yields an empty piece for each step of it.
 */
import type { Clock } from '@rollcall/core'
import { JSON_TYPE, type Exchange } from './exchange.js'

/** Characters that are made and sent in one turn, and one piece more. */
const TURN_CHARS = 65_536

/** Pieces that are made in one turn: an empty one is work of which nothing came. */
const TURN_PIECES = 1_000

interface Gathered {
  readonly text: string
  readonly done: boolean
}

/**
 * Answers with the JSON that `pieces` yields, whole where it fits into one turn. What they throw before that becomes the
 * answer; later it ends the connection within the answer, which no client takes for a whole one. So does a reader that
 * takes nothing for `stalledMsMax`.
 */
export function answerInPieces(
  exchange: Exchange,
  clock: Clock,
  pieces: Iterator<string>,
  stalledMsMax: number,
): void {
  const first = gather(pieces)
  if (first.done) {
    exchange.text(200, first.text)
    return
  }
  const { res } = exchange
  let cancel = (): void => {}
  const send = ({ text, done }: Gathered): void => {
    if (done) {
      res.end(text)
    } else if (res.write(text)) {
      cancel = clock.setTimer(0, next)
    } else {
      res.once('drain', next)
      cancel = clock.setTimer(stalledMsMax, () => res.destroy())
    }
  }
  const next = (): void => {
    cancel()
    try {
      send(gather(pieces))
    } catch (error) {
      exchange.breakOff(error)
    }
  }
  res.once('close', () => {
    cancel()
    res.off('drain', next)
  })
  exchange.opened(200)
  res.writeHead(200, ['Content-Type', JSON_TYPE])
  send(first)
}

function gather(pieces: Iterator<string>): Gathered {
  let text = ''
  for (let made = 0; text.length < TURN_CHARS && made < TURN_PIECES; made++) {
    const piece = pieces.next()
    if (piece.done === true) return { text, done: true }
    text += piece.value
  }
  return { text, done: false }
}
