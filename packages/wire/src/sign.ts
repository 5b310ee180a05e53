/**
 * Signs: 64-bit sums of shown digests, kept as two unsigned 32-bit lanes because that is what JavaScript
 * adds exactly and fast. On the wire a digest and a sign are 16 lower-case hex digits.
 *
 * sign(view) = sum over its instances of shownDigest, mod 2^64; the empty view is sixteen zeros.
 * shownDigest = mix(contentDigest, state, effective weight); `mix` is a bijection of the content digest for
 * each state and weight, so equal inputs are the only systematic way to equal outputs.
 * Test vectors: packages/wire/vectors/sign.json.
 */
import type { State } from './types.js'

/** The sign of a view without instances. */
export const EMPTY_SIGN = '0000000000000000'

/** The number that stands for each state in `mix`. Part of the wire contract: numbers are never reused. */
export const STATE_NUMBERS: Readonly<Record<State, number>> = {
  starting: 1,
  up: 2,
  suspect: 3,
  down: 4,
  draining: 5,
  disabled: 6,
}

/** A 64-bit value as two unsigned 32-bit lanes. */
export interface Lanes {
  readonly hi: number
  readonly lo: number
}

/** A digest or sign in its wire form. */
export const SIGN_PATTERN: RegExp = /^[0-9a-f]{16}$/

/** Whether the text is a digest or sign as it travels: 16 lower-case hex digits. */
export function isSign(text: string): boolean {
  return SIGN_PATTERN.test(text)
}

function readHex(hex: string, from: number): number {
  let value = 0
  for (let index = from; index < from + 8; index++) {
    const code = hex.charCodeAt(index)
    value = (value << 4) | (code < 58 ? code - 48 : code - 87)
  }
  return value >>> 0
}

/** Reads 16 hex digits. The caller checks `isSign` first where the text comes from outside. */
export function parseLanes(hex: string): Lanes {
  return { hi: readHex(hex, 0), lo: readHex(hex, 8) }
}

function digit(lane: number, shift: number): number {
  const value = (lane >>> shift) & 15
  return value < 10 ? value + 48 : value + 87
}

/** Writes 16 lower-case hex digits. One call that makes the string at once: this is on the path of every registration. */
export function formatLanes(hi: number, lo: number): string {
  return String.fromCharCode(
    digit(hi, 28),
    digit(hi, 24),
    digit(hi, 20),
    digit(hi, 16),
    digit(hi, 12),
    digit(hi, 8),
    digit(hi, 4),
    digit(hi, 0),
    digit(lo, 28),
    digit(lo, 24),
    digit(lo, 20),
    digit(lo, 16),
    digit(lo, 12),
    digit(lo, 8),
    digit(lo, 4),
    digit(lo, 0),
  )
}

function fmix32(h: number): number {
  let x = h
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  x ^= x >>> 16
  return x >>> 0
}

/** The shown digest of an instance: its content digest mixed with its state number and effective weight. */
export function mix(content: Lanes, stateNumber: number, weight: number): Lanes {
  let hi = (content.hi ^ Math.imul(stateNumber, 0x9e3779b1)) >>> 0
  let lo = (content.lo ^ Math.imul(weight + 1, 0x85ebca77)) >>> 0
  hi = fmix32((hi + lo) >>> 0)
  lo = fmix32((lo + hi) >>> 0)
  hi = (hi + lo) >>> 0
  lo = (lo + hi) >>> 0
  return { hi, lo }
}

/** A running sign: O(1) per added or removed digest. */
export class SignSum implements Lanes {
  /** Upper 32 bits. */
  hi = 0
  /** Lower 32 bits. */
  lo = 0

  /** Adds one shown digest. */
  add(hi: number, lo: number): void {
    const sum = this.lo + (lo >>> 0)
    this.lo = sum >>> 0
    this.hi = (this.hi + (hi >>> 0) + (sum > 0xffffffff ? 1 : 0)) >>> 0
  }

  /** Takes one shown digest away. */
  subtract(hi: number, lo: number): void {
    const difference = this.lo - (lo >>> 0)
    this.lo = difference >>> 0
    this.hi = (this.hi - (hi >>> 0) - (difference < 0 ? 1 : 0)) >>> 0
  }

  /** Adds a digest in its wire form. */
  addHex(digest: string): void {
    const { hi, lo } = parseLanes(digest)
    this.add(hi, lo)
  }

  /** Takes a digest in its wire form away. */
  subtractHex(digest: string): void {
    const { hi, lo } = parseLanes(digest)
    this.subtract(hi, lo)
  }

  toString(): string {
    return formatLanes(this.hi, this.lo)
  }
}

/** The sign of a list of instances as a client computes it: only additions of digests it was given. */
export function signOf(instances: Iterable<{ readonly digest: string }>): string {
  const sum = new SignSum()
  for (const instance of instances) sum.addHex(instance.digest)
  return sum.toString()
}
