/** The wire format of protocol buffers, as far as etcd's messages use it: messages are tables of field numbers. */

/** What a field holds. `int` is any integer that JavaScript holds exactly; an `id` uses all of its 64 bits. */
interface Kinds {
  int: number
  id: bigint
  flag: boolean
  text: string
  bytes: Uint8Array
}

/** One field: its number, what it holds, and whether it may come several times. */
export interface Field<T> {
  readonly number: number
  readonly kind: keyof Kinds | MessageShape
  readonly many: boolean
  /** What it is when it is not there. */
  readonly absent: T
}

/** A message to be written, of which anything may be left out, in messages inside it too. */
export type Partly<T> = T extends string | number | bigint | boolean | Uint8Array | undefined
  ? T
  : T extends readonly (infer U)[]
    ? readonly Partly<U>[]
    : { readonly [K in keyof T]?: Partly<T[K]> | undefined }

/** How a message travels. A field that is left out has its default: 0, false, empty, or undefined for a message. */
export interface MessageType<T> {
  readonly shape: MessageShape
  readonly encode: (message: Partly<T>) => Uint8Array
  /** Throws CodecError where the bytes are no such message. Unknown fields are passed over. */
  readonly decode: (bytes: Uint8Array) => T
}

/** The fields of a message, by name and by number, and what it is when it is empty. */
export interface MessageShape {
  readonly fields: readonly (readonly [name: string, field: Field<unknown>])[]
  /** With holes. */
  readonly byNumber: readonly (readonly [name: string, field: Field<unknown>] | undefined)[]
  readonly absent: Readonly<Record<string, unknown>>
}

/** The bytes are not what they should be. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
}

const ABSENT: Kinds = { int: 0, id: 0n, flag: false, text: '', bytes: new Uint8Array(0) }

export function one<K extends keyof Kinds>(number: number, kind: K): Field<Kinds[K]> {
  return { number, kind, many: false, absent: ABSENT[kind] }
}

/** A message inside a message. */
export function inner<T>(number: number, type: MessageType<T>): Field<T | undefined> {
  return { number, kind: type.shape, many: false, absent: undefined }
}

/** A list of messages. */
export function list<T>(number: number, type: MessageType<T>): Field<readonly T[]> {
  return { number, kind: type.shape, many: true, absent: [] }
}

/** A list of texts. */
export function texts(number: number): Field<readonly string[]> {
  return { number, kind: 'text', many: true, absent: [] }
}

/** A message by its fields. Each property of `T` has to be there, so that none is forgotten. */
export function message<T extends object>(table: { readonly [K in keyof T]-?: Field<T[K]> }): MessageType<T> {
  const fields = Object.entries<Field<unknown>>(table)
  const byNumber: [string, Field<unknown>][] = []
  const absent: Record<string, unknown> = {}
  for (const [name, field] of fields) {
    byNumber[field.number] = [name, field]
    absent[name] = field.absent
  }
  const shape: MessageShape = { fields, byNumber, absent }
  return {
    shape,
    encode(value) {
      const writer = new Writer()
      writer.message(shape, value as Record<string, unknown>)
      return writer.written()
    },
    decode: (bytes) => decode(shape, bytes) as T,
  }
}

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

// ---- writing ---------------------------------------------------------------------------------------------

/** Writes from the end to the front, so that the length of what is inside is known when it has to be written. */
class Writer {
  private buffer: Buffer = Buffer.allocUnsafe(512)
  private start = 512

  written(): Uint8Array {
    return this.buffer.subarray(this.start)
  }

  message({ fields }: MessageShape, value: Readonly<Record<string, unknown>>): void {
    for (let index = fields.length - 1; index >= 0; index -= 1) {
      const [name, field] = fields[index] as (typeof fields)[number]
      const held = value[name]
      if (held === undefined) continue
      if (!field.many) {
        // What equals its default is left out; a message inside is written even when it is empty.
        if (typeof field.kind === 'object' || held !== field.absent) this.field(field, held)
        continue
      }
      const items = held as readonly unknown[]
      for (let at = items.length - 1; at >= 0; at -= 1) this.field(field, items[at])
    }
  }

  private field({ number, kind }: Field<unknown>, held: unknown): void {
    if (kind === 'int') this.integer(held as number)
    else if (kind === 'id') this.big(held as bigint)
    else if (kind === 'flag') this.integer(held === true ? 1 : 0)
    else {
      const end = this.buffer.length - this.start
      if (kind === 'text') this.text(held as string)
      else if (kind === 'bytes') this.bytes(held as Uint8Array)
      else this.message(kind, held as Record<string, unknown>)
      this.integer(this.buffer.length - this.start - end)
    }
    this.integer(number * 8 + (kind === 'int' || kind === 'id' || kind === 'flag' ? VARINT : LENGTH))
  }

  private text(text: string): void {
    const length = Buffer.byteLength(text)
    this.room(length)
    this.buffer.write(text, this.start, length, 'utf8')
  }

  private bytes(bytes: Uint8Array): void {
    this.room(bytes.length)
    this.buffer.set(bytes, this.start)
  }

  private integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`no integer that can be written: ${value}`)
    if (value < 0) return this.big(BigInt(value))
    let length = 1
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1
    this.room(length)
    let at = this.start
    for (; value >= 128; value = Math.floor(value / 128)) this.buffer[at++] = (value % 128) | 128
    this.buffer[at] = value
  }

  private big(value: bigint): void {
    const digits: number[] = []
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 128n; rest >>= 7n) digits.push(Number(rest & 127n) | 128)
    digits.push(Number(rest))
    this.room(digits.length)
    this.buffer.set(digits, this.start)
  }

  /** Moves the start to the front by `length` bytes. */
  private room(length: number): void {
    if (this.start < length) {
      const used = this.buffer.length - this.start
      const larger = Buffer.allocUnsafe(Math.max(2 * this.buffer.length, used + length + 512))
      this.buffer.copy(larger, larger.length - used, this.start)
      this.start = larger.length - used
      this.buffer = larger
    }
    this.start -= length
  }
}

// ---- reading ---------------------------------------------------------------------------------------------

function decode(shape: MessageShape, bytes: Uint8Array): Record<string, unknown> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new Reader(buffer).message(shape, buffer.length)
}

class Reader {
  private readonly buffer: Buffer
  private at = 0

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  message(shape: MessageShape, end: number): Record<string, unknown> {
    const value: Record<string, unknown> = { ...shape.absent }
    while (this.at < end) {
      const tag = this.integer(end)
      const known = shape.byNumber[Math.floor(tag / 8)]
      if (known === undefined) {
        this.pass(tag % 8, end)
        continue
      }
      const [name, field] = known
      const held = this.field(field, tag % 8, end)
      if (!field.many) value[name] = held
      else if (value[name] === field.absent) value[name] = [held]
      else (value[name] as unknown[]).push(held)
    }
    return value
  }

  private field({ kind, number }: Field<unknown>, wire: number, end: number): unknown {
    const scalar = kind === 'int' || kind === 'id' || kind === 'flag'
    if (wire !== (scalar ? VARINT : LENGTH)) throw new CodecError(`field ${number} has wire type ${wire}`)
    if (kind === 'int') return this.integer(end)
    if (kind === 'id') return this.big(end)
    if (kind === 'flag') return this.big(end) !== 0n
    const length = this.integer(end)
    const start = this.at
    if (length < 0 || length > end - start) throw new CodecError(`field ${number} ends after its message`)
    if (typeof kind === 'object') return this.message(kind, start + length)
    this.at = start + length
    return kind === 'text'
      ? this.buffer.toString('utf8', start, this.at)
      : this.buffer.subarray(start, this.at)
  }

  private integer(end: number): number {
    let value = 0
    let unit = 1
    const start = this.at
    while (this.at < end) {
      const byte = this.buffer[this.at++] as number
      value += (byte & 127) * unit
      if (byte < 128) {
        if (value <= Number.MAX_SAFE_INTEGER) return value
        // Negative ones take all of the ten bytes.
        this.at = start
        const signed = Number(BigInt.asIntN(64, this.big(end)))
        if (!Number.isSafeInteger(signed)) throw new CodecError(`an integer of ${signed} is not held exactly`)
        return signed
      }
      if (this.at - start === 10) break
      unit *= 128
    }
    throw new CodecError('an integer has no end')
  }

  private big(end: number): bigint {
    let value = 0n
    for (let shift = 0n; this.at < end && shift < 70n; shift += 7n) {
      const byte = this.buffer[this.at++] as number
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw new CodecError('an integer has no end')
  }

  private pass(wire: number, end: number): void {
    if (wire === VARINT) return void this.big(end)
    const length = wire === LENGTH ? this.integer(end) : wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : -1
    if (length < 0 || length > end - this.at) throw new CodecError(`an unknown field of wire type ${wire}`)
    this.at += length
  }
}
