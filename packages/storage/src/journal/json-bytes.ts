/**
 * JSON written straight as bytes. For the short ASCII names and whole numbers that records are made of this costs
 * less than `JSON.stringify`, which needs an object for every row, makes a text, and leaves both as garbage.
 */

const QUOTE = 0x22
const COMMA = 0x2c
const ZERO = 0x30
const COLON = 0x3a
const BACKSLASH = 0x5c
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d

/** 1 for every character that stands for itself in a JSON string and is one byte of UTF-8. */
const PLAIN = Uint8Array.from({ length: 128 }, (_, code) =>
  code >= 0x20 && code !== QUOTE && code !== BACKSLASH ? 1 : 0,
)

/** UTF-8 takes no more for one unit of UTF-16. */
const BYTES_PER_UNIT_MAX = 3
/** Digits that are written together: what is below this is arithmetic on small integers. */
const BILLION = 1_000_000_000
const BILLION_DIGITS = 9
const INTEGER_DIGITS_MAX = 16

function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

/** A growing piece of JSON. It is up to the caller that it becomes well-formed, and that it ends somewhere. */
export class JsonBytes {
  #bytes: Buffer
  #length = 0

  /** `sizeGuess`: what it will probably take, so that nothing has to be copied. */
  constructor(sizeGuess: number) {
    this.#bytes = Buffer.allocUnsafe(sizeGuess)
  }

  get length(): number {
    return this.#length
  }

  /** What was written so far, without a copy: valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** One byte as it is: punctuation. */
  byte(code: number): void {
    this.#makeRoom(1)
    this.#bytes[this.#length++] = code
  }

  /** Any value by `JSON.stringify`. */
  value(value: unknown): void {
    const text = JSON.stringify(value)
    this.#makeRoom(text.length * BYTES_PER_UNIT_MAX)
    this.#length += this.#bytes.write(text, this.#length)
  }

  string(value: string): void {
    const units = value.length
    this.#makeRoom(units + 2)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = QUOTE
    for (let index = 0; index < units; index++) {
      const code = value.charCodeAt(index)
      // Nothing counts before `#length` is moved: what was written of it is written over.
      if (PLAIN[code] !== 1) return this.value(value)
      bytes[at++] = code
    }
    bytes[at++] = QUOTE
    this.#length = at
  }

  number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) return this.value(value)
    this.#makeRoom(INTEGER_DIGITS_MAX)
    if (value < BILLION) return this.#digits(value, digitsOf(value))
    const high = Math.floor(value / BILLION)
    this.#digits(high, digitsOf(high))
    this.#digits(value - high * BILLION, BILLION_DIGITS)
  }

  /** An object whose members are strings, such as metadata. */
  strings(value: Readonly<Record<string, string>>): void {
    let separator = BRACE_OPEN
    for (const name in value) {
      if (!Object.hasOwn(value, name)) continue
      this.byte(separator)
      separator = COMMA
      this.string(name)
      this.byte(COLON)
      this.string(value[name] as string)
    }
    if (separator === BRACE_OPEN) this.byte(BRACE_OPEN)
    this.byte(BRACE_CLOSE)
  }

  /** Exactly so many digits of a number below a billion. */
  #digits(value: number, count: number): void {
    const bytes = this.#bytes
    const start = this.#length
    let rest = value
    for (let at = start + count - 1; at >= start; at--) {
      const tens = (rest / 10) | 0
      bytes[at] = ZERO + rest - tens * 10
      rest = tens
    }
    this.#length = start + count
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, needed))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
