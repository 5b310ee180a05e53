/**
 * The watermark: how far the newest log is known to reach, in a file of its own. The log after a log says how far that
 * one went; of the newest log nothing else does, so without this a log cut between two frames would pass as whole.
 *
 * - It is written after the bytes that it counts are durable, so it never claims more than was there.
 * - It is durable before the first entry in a log is acknowledged, and when the journal is closed. So a log that
 *   is empty, and that the watermark does not speak of, carried nothing that anyone was told of.
 * - In between it follows the log within a second or so without being synced: one sector, overwritten in place. What a
 *   crash leaves unsaid is how far the log went after the last of these.
 */
import { join } from 'node:path'
import type { Disk } from './disk.js'
import { decodeFileHeader, encodeFileHeader, HEADER_BYTES } from './frames.js'

/** Name of the file. */
export const WATERMARK_NAME = 'journal.mark'

/** How far the newest log is known to reach. */
export interface Watermark {
  /** Number of the log. */
  readonly number: number
  /** Bytes of it that were durable. */
  readonly length: number
}

/** Reads the watermark. Undefined when there is none that can be read: then nothing is known. */
export async function readWatermark(disk: Disk, directory: string): Promise<Watermark | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await disk.read(join(directory, WATERMARK_NAME))
  } catch {
    return undefined
  }
  const decoded = decodeFileHeader(Buffer.from(bytes), 'watermark')
  return 'header' in decoded ? { number: decoded.header.number, length: decoded.header.sealed } : undefined
}

/** Whether a log carried entries at all, by what the watermark says; undefined when that is not known. */
export function carriedEntries(watermark: Watermark | undefined, number: number): boolean | undefined {
  if (watermark === undefined || watermark.number > number) return undefined
  return watermark.number === number && watermark.length > HEADER_BYTES
}

/** Writes the watermark of one directory; never lowers it. */
export class WatermarkWriter {
  readonly #disk: Disk
  readonly #directory: string
  #written: Watermark = { number: 0, length: 0 }
  #last: Promise<void> = Promise.resolve()

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  /** For a reader after this process has died. Does nothing when there is nothing new to say. */
  write(watermark: Watermark): Promise<void> {
    return this.#afterLast(async () => {
      if (watermark.number > this.#written.number || this.#isFurther(watermark)) await this.#put(watermark)
    })
  }

  /** For a reader after the machine has died, too. */
  writeDurably(watermark: Watermark): Promise<void> {
    return this.#afterLast(async () => {
      await this.#put(watermark)
      await this.#disk.sync(join(this.#directory, WATERMARK_NAME))
      await this.#disk.sync(this.#directory)
    })
  }

  #isFurther({ number, length }: Watermark): boolean {
    return number === this.#written.number && length > this.#written.length
  }

  async #put({ number, length }: Watermark): Promise<void> {
    const header = encodeFileHeader({ kind: 'watermark', number, sealed: length })
    await this.#disk.overwrite(join(this.#directory, WATERMARK_NAME), header)
    this.#written = { number, length }
  }

  /** One at a time: a write that was begun for an older log must not land on that for a newer one. */
  #afterLast(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}
