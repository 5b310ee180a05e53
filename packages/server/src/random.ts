/** Chance of a node’s process. */
import { randomBytes } from 'node:crypto'

/** Chance, as shells see it. The core itself receives random values as arguments. */
export interface SystemRandom {
  /** A fraction in [0, 1), good enough for jitter and not for secrets. */
  fraction(): number
  /** An id that no other boot of any node has: 16 hex digits from the system's entropy. */
  bootId(): string
  /** A secret that cannot be guessed: 64 hex digits. */
  secret(): string
}

/** The chance of this process. */
export function createSystemRandom(): SystemRandom {
  return {
    fraction: () => Math.random(),
    bootId: () => randomBytes(8).toString('hex'),
    secret: () => randomBytes(32).toString('hex'),
  }
}
