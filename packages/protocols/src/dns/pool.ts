/** Records of one kind as they are sent, made once, to be drawn from for each answer. Pure. */
import { Draw } from './draw.js'
import { CLASS } from './numbers.js'

/** A record of the answer: it belongs to the name that was asked for. */
export interface ResourceRecord {
  readonly type: number
  readonly data: ArrayLike<number>
  /** The address behind the name at the end of `data`, which the reader would ask for next. */
  readonly glue?: Glue
}

export interface Glue {
  readonly type: number
  readonly data: ArrayLike<number>
  /** Where in the data of its record the name begins. */
  readonly nameAt: number
  /** The name, by which the same is not told twice. */
  readonly name: string
}

/** Owner as a pointer, type, class, time to live and length, in front of the data. */
export const RECORD_HEAD_BYTES = 12
/** Where the name of the question is, in every message. */
const QUESTION_POINTER = 0xc00c

/** Records one behind the other. */
interface Pieces {
  readonly bytes: Uint8Array
  /** Where each begins, and the end of the last. */
  readonly begins: Uint32Array
}

/** Addresses of targets, whose owners are filled in where they are sent. */
export interface Glues extends Pieces {
  /** Which of them a record is followed by, one more than its place; 0 is none. */
  readonly ofRecord: Uint32Array
  /** Where in each record, head included, its owner is. */
  readonly nameAt: Uint16Array
  /** When each was sent last, so that none is sent twice in one answer. */
  readonly sent: Uint32Array
}

/** Records to draw from. */
export class RecordPool implements Pieces {
  readonly bytes: Uint8Array
  readonly begins: Uint32Array
  readonly glues: Glues | undefined
  /** Length of the shortest. */
  readonly shortest: number
  /** Most that are answered at once. */
  readonly most: number
  private readonly drawing: Draw

  constructor(records: Pieces, weights: Float64Array, glues: Glues | undefined, most: number) {
    this.bytes = records.bytes
    this.begins = records.begins
    this.glues = glues
    this.drawing = new Draw(weights)
    this.most = Math.min(most, weights.length)
    let shortest = Infinity
    for (let place = 0; place < weights.length; place++)
      shortest = Math.min(shortest, (this.begins[place + 1] as number) - (this.begins[place] as number))
    this.shortest = shortest
  }

  get size(): number {
    return this.drawing.size
  }

  /** Draws so many, or all that there are: the places of the records, valid until the next draw. */
  draw(count: number, chance: () => number): Uint32Array {
    this.drawing.draw(count, chance)
    return this.drawing.order
  }
}

/** Records with their heads, in memory that grows. */
class Writer {
  private bytes = new Uint8Array(256)
  private at = 0
  private readonly begins: number[] = [0]

  add(type: number, data: ArrayLike<number>, ttlSeconds: number): void {
    const end = this.at + RECORD_HEAD_BYTES + data.length
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2))
      larger.set(this.bytes)
      this.bytes = larger
    }
    writeHead(this.bytes, this.at, QUESTION_POINTER, type, ttlSeconds, data.length)
    for (let place = 0; place < data.length; place++)
      this.bytes[this.at + RECORD_HEAD_BYTES + place] = data[place] as number
    this.at = end
    this.begins.push(end)
  }

  pieces(): Pieces {
    return { bytes: this.bytes.slice(0, this.at), begins: new Uint32Array(this.begins) }
  }
}

/** Makes a pool, record by record. */
export class PoolBuilder {
  private readonly records = new Writer()
  private readonly weights: number[] = []
  private readonly glues = new Writer()
  private readonly targets = new Map<string, number>()
  private readonly ofRecord: number[] = []
  private readonly nameAt: number[] = []
  private readonly ttlSeconds: number

  constructor(ttlSeconds: number) {
    this.ttlSeconds = ttlSeconds
  }

  add({ type, data, glue }: ResourceRecord, weight = 1): void {
    const { targets, ttlSeconds } = this
    this.records.add(type, data, ttlSeconds)
    this.weights.push(weight)
    const known = glue === undefined ? 0 : targets.get(glue.name)
    this.ofRecord.push(known ?? targets.size + 1)
    this.nameAt.push(RECORD_HEAD_BYTES + (glue?.nameAt ?? 0))
    if (glue === undefined || known !== undefined) return
    targets.set(glue.name, targets.size + 1)
    this.glues.add(glue.type, glue.data, ttlSeconds)
  }

  /** `most`: how many of them are answered at once, at most. */
  build(most: number = Infinity): RecordPool {
    const { targets } = this
    const glues =
      targets.size === 0
        ? undefined
        : {
            ...this.glues.pieces(),
            ofRecord: new Uint32Array(this.ofRecord),
            nameAt: new Uint16Array(this.nameAt),
            sent: new Uint32Array(targets.size),
          }
    return new RecordPool(this.records.pieces(), new Float64Array(this.weights), glues, most)
  }
}

/** What stands in front of the data of a record. */
export function writeHead(
  bytes: Uint8Array,
  at: number,
  owner: number,
  type: number,
  ttlSeconds: number,
  length: number,
): void {
  write16(bytes, at, owner)
  write16(bytes, at + 2, type)
  write16(bytes, at + 4, CLASS.IN)
  write32(bytes, at + 6, ttlSeconds)
  write16(bytes, at + 10, length)
}

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
