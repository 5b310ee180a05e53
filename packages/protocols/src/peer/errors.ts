/** How links end, as codes, and how requests that become no link are answered. */
import type { ErrorBody } from '@rollcall/wire'
import { statusOf, type ErrorAnswer } from '../http/errors.js'

/** Codes with which a node closes a link. A stranger sees no other than `refused`. */
export const PEER_CLOSE_CODES = {
  /** The node stops, or the peer is no longer among the nodes of the cluster. */
  over: 1001,
  /** A frame that is no message, or one that does not fit the state of the link. */
  garbage: 4400,
  /** No proof, a wrong one, or one of a node that the engine does not name. */
  refused: 4403,
  /** Nothing was heard, or nothing was answered, for too long. */
  silent: 4408,
  /** The same peer has proven itself on another connection. */
  replaced: 4409,
  /** More arrived than may wait. */
  limit: 4429,
} as const

export type PeerCloseCode = (typeof PEER_CLOSE_CODES)[keyof typeof PEER_CLOSE_CODES]

/** An error as the only content of an answer. */
export function writePeerError(error: ErrorBody): ErrorAnswer {
  return {
    status: statusOf(error),
    type: 'application/json; charset=utf-8',
    body: JSON.stringify({ error }),
  }
}
