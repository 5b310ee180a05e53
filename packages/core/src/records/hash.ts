/**
 * MurmurHash3_x86_128 with seed 0, of which the first 64 bits are used: a named, published hash with full
 * avalanche that 32-bit arithmetic computes fast. Input is the UTF-8 form of a string.
 */
import type { Lanes } from '@rollcall/wire'

/** Collects input for a hash. One hasher serves one caller at a time; nothing is allocated per use. */
export class Hasher {
  private bytes = new Uint8Array(1024)
  private length = 0

  /** Forgets what was collected. */
  reset(): this {
    this.length = 0
    return this
  }

  /** A text as UTF-8. */
  text(text: string): this {
    this.reserve(text.length * 3)
    this.length = encodeUtf8(text, this.bytes, this.length)
    return this
  }

  /** A text that cannot run into what follows it: four bytes of its length in UTF-16 units come first. */
  field(text: string): this {
    this.uint32(text.length)
    return this.text(text)
  }

  /** A non-negative safe integer, as eight bytes. */
  integer(value: number): this {
    this.uint32(value >>> 0)
    this.uint32(Math.floor(value / 0x1_0000_0000))
    return this
  }

  /** The first 64 bits of the hash of everything collected. */
  digest(): Lanes {
    const padded = (this.length + 15) & ~15
    this.reserve(padded - this.length)
    // The tail block is padded with zeros: the reference algorithm mixes missing bytes as nothing at all, and
    // zero lanes stay zero under multiplication and rotation.
    this.bytes.fill(0, this.length, padded)
    return murmur(this.bytes, this.length, padded)
  }

  private uint32(value: number): void {
    this.reserve(4)
    const { bytes } = this
    bytes[this.length++] = value
    bytes[this.length++] = value >>> 8
    bytes[this.length++] = value >>> 16
    bytes[this.length++] = value >>> 24
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(2 * (this.length + count))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}

/** Writes a text as UTF-8 and returns the position behind it. */
function encodeUtf8(text: string, out: Uint8Array, from: number): number {
  let at = from
  const length = text.length
  for (let index = 0; index < length; index++) {
    let code = text.charCodeAt(index)
    if (code < 0x80) {
      out[at++] = code
      continue
    }
    if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6)
      out[at++] = 0x80 | (code & 0x3f)
      continue
    }
    if (code >= 0xd800 && code < 0xe000) {
      const low = text.charCodeAt(index + 1)
      if (code < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
        index++
        out[at++] = 0xf0 | (code >> 18)
        out[at++] = 0x80 | ((code >> 12) & 0x3f)
        out[at++] = 0x80 | ((code >> 6) & 0x3f)
        out[at++] = 0x80 | (code & 0x3f)
        continue
      }
      code = 0xfffd // a lone surrogate has no UTF-8 form
    }
    out[at++] = 0xe0 | (code >> 12)
    out[at++] = 0x80 | ((code >> 6) & 0x3f)
    out[at++] = 0x80 | (code & 0x3f)
  }
  return at
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

function fmix(h: number): number {
  let x = h
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return x ^ (x >>> 16)
}

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

function murmur(data: Uint8Array, length: number, padded: number): Lanes {
  const word = (at: number): number =>
    (data[at] as number) |
    ((data[at + 1] as number) << 8) |
    ((data[at + 2] as number) << 16) |
    ((data[at + 3] as number) << 24)
  let h1 = 0
  let h2 = 0
  let h3 = 0
  let h4 = 0
  for (let at = 0; at < padded; at += 16) {
    const whole = at + 16 <= length
    h1 ^= Math.imul(rotate(Math.imul(word(at), C1), 15), C2)
    if (whole) h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0
    h2 ^= Math.imul(rotate(Math.imul(word(at + 4), C2), 16), C3)
    if (whole) h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0
    h3 ^= Math.imul(rotate(Math.imul(word(at + 8), C3), 17), C4)
    if (whole) h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0
    h4 ^= Math.imul(rotate(Math.imul(word(at + 12), C4), 18), C1)
    if (whole) h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0
  }
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = fmix(h1)
  h2 = fmix(h2)
  h3 = fmix(h3)
  h4 = fmix(h4)
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  return { hi: h1 >>> 0, lo: h2 >>> 0 }
}

const shared = new Hasher()

/** The 64-bit hash of a string, as two unsigned 32-bit lanes. */
export function hash64(text: string): Lanes {
  return shared.reset().text(text).digest()
}
