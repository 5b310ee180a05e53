/**
 * The handshake of a link, as a step function for each side: `challenge` (accepter), `prove` (dialler), `proven`
 * (accepter). The accepter tells nothing but a random number before it has seen a proof.
 */
import type { PeerNode } from '@rollcall/core'
import { isJsonObject } from '@rollcall/wire/shapes'
import { isProof, NONCE_PATTERN, proofOf, type ProofTerms } from './proof.js'

/** What a node proves: that it is this node, of the cluster with this secret, in this epoch. */
export interface LinkIdentity {
  readonly node: string
  readonly secret: string
  readonly epoch: string
}

/** Why a handshake failed: a closed list, for the log. */
export type HandshakeFault =
  | 'no handshake'
  | 'wrong secret'
  | 'other epoch'
  | 'unknown node'
  | 'meant for another node'
  | 'this node dials that one'

/** What follows a message of a handshake. */
export type HandshakeStep =
  | { readonly kind: 'reply'; readonly text: string }
  /** Proven in both directions; the reply, if there is one, goes first. */
  | { readonly kind: 'linked'; readonly peer: PeerNode; readonly reply?: string }
  /** `node`: whom the other side said it was. */
  | { readonly kind: 'refused'; readonly fault: HandshakeFault; readonly node?: string }

/** One side of a handshake. */
export interface Handshake {
  receive(text: string): HandshakeStep
}

/** No message of a handshake is longer. */
const TEXT_CHARS_MAX = 2_048
const NODE_CHARS_MAX = 256

const NO_HANDSHAKE: HandshakeStep = { kind: 'refused', fault: 'no handshake' }

/** Which of two nodes dials the other, so that both never do: the one with the smaller id. */
export function dials(self: string, peer: string): boolean {
  return self < peer
}

/** The side that was dialled; `challenge` is new chance. `first` is what it says at once. */
export function acceptHandshake(
  me: LinkIdentity,
  challenge: string,
  peerOf: (node: string) => PeerNode | undefined,
): Handshake & { readonly first: string } {
  return {
    first: JSON.stringify({ type: 'challenge', challenge }),
    receive(text) {
      const message = readHandshake(text, 'prove')
      if (message === undefined) return NO_HANDSHAKE
      const { node, to, epoch, nonce, proof } = message
      if (!isNode(node) || !isNode(to) || !isNode(epoch) || !isNonce(nonce) || typeof proof !== 'string')
        return NO_HANDSHAKE
      if (to !== me.node) return { kind: 'refused', fault: 'meant for another node', node }
      if (epoch !== me.epoch) return { kind: 'refused', fault: 'other epoch', node }
      const terms: ProofTerms = { challenge, nonce, dialler: node, accepter: me.node, epoch: me.epoch }
      if (!isProof(proof, me.secret, 'dialler', terms))
        return { kind: 'refused', fault: 'wrong secret', node }
      const peer = peerOf(node)
      if (peer === undefined) return { kind: 'refused', fault: 'unknown node', node }
      if (dials(me.node, node)) return { kind: 'refused', fault: 'this node dials that one', node }
      const reply = JSON.stringify({ type: 'proven', proof: proofOf(me.secret, 'accepter', terms) })
      return { kind: 'linked', peer, reply }
    },
  }
}

/** The side that dials; `nonce` is new chance. */
export function dialHandshake(me: LinkIdentity, peer: PeerNode, nonce: string): Handshake {
  let terms: ProofTerms | undefined
  return {
    receive(text) {
      if (terms === undefined) {
        const challenge = readHandshake(text, 'challenge')?.challenge
        if (!isNonce(challenge)) return NO_HANDSHAKE
        terms = { challenge, nonce, dialler: me.node, accepter: peer.node, epoch: me.epoch }
        const proof = proofOf(me.secret, 'dialler', terms)
        const prove = { type: 'prove', node: me.node, to: peer.node, epoch: me.epoch, nonce, proof }
        return { kind: 'reply', text: JSON.stringify(prove) }
      }
      const proof = readHandshake(text, 'proven')?.proof
      if (typeof proof !== 'string') return NO_HANDSHAKE
      return isProof(proof, me.secret, 'accepter', terms)
        ? { kind: 'linked', peer }
        : { kind: 'refused', fault: 'wrong secret', node: peer.node }
    },
  }
}

function readHandshake(text: string, type: string): Readonly<Record<string, unknown>> | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined
  try {
    const message: unknown = JSON.parse(text)
    return isJsonObject(message) && message.type === type ? message : undefined
  } catch {
    return undefined
  }
}

function isNode(value: unknown): value is string {
  return typeof value === 'string' && value.length <= NODE_CHARS_MAX
}

function isNonce(value: unknown): value is string {
  return typeof value === 'string' && NONCE_PATTERN.test(value)
}
