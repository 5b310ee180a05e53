/** Proof of the cluster's secret, which itself never travels. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Which side proves. The word is part of what is proven, so that no side can be shown its own proof. */
export type ProvingSide = 'dialler' | 'accepter'

/** What both sides must agree on, word by word. */
export interface ProofTerms {
  /** Chance of the side that accepts, new for each connection: no old proof fits. */
  readonly challenge: string
  /** Chance of the side that dials. */
  readonly nonce: string
  /** Ids of the nodes. */
  readonly dialler: string
  readonly accepter: string
  readonly epoch: string
}

/** Begins everything that is ever proven with this secret, so that it proves nothing else. */
const DOMAIN = 'rollcall.peer.v1'

/** What a proof looks like. */
export const PROOF_PATTERN: RegExp = /^[0-9a-f]{64}$/
/** What a challenge and a nonce look like: 256 bits. */
export const NONCE_PATTERN: RegExp = /^[0-9a-f]{64}$/

/** HMAC-SHA256 over the terms, as 64 hex digits. */
export function proofOf(secret: string, side: ProvingSide, terms: ProofTerms): string {
  const { challenge, nonce, dialler, accepter, epoch } = terms
  // JSON of a list of texts has one meaning only: nothing can move from one term into the next.
  const proven = JSON.stringify([DOMAIN, side, challenge, nonce, dialler, accepter, epoch])
  return createHmac('sha256', secret).update(proven).digest('hex')
}

/** Whether it is the proof, in a time that does not depend on where it differs. */
export function isProof(shown: string, secret: string, side: ProvingSide, terms: ProofTerms): boolean {
  if (!PROOF_PATTERN.test(shown)) return false
  return timingSafeEqual(Buffer.from(shown, 'hex'), Buffer.from(proofOf(secret, side, terms), 'hex'))
}
