/** How much a message may hold. */
import type { WelcomeMessage } from '@rollcall/wire'

/** Bounds of one message. */
export interface BatchLimits {
  readonly batchItemsMax: number
  readonly frameBytesMax: number
}

/** Until a node tells its own limits: small enough for any sensible configuration. */
export const CAUTIOUS_LIMITS: BatchLimits = { batchItemsMax: 1_000, frameBytesMax: 262_144 }

/** Room for what surrounds the items in a frame. */
const ENVELOPE_BYTES = 512

/** Splits items so that each batch fits one message. An item too large for any frame travels alone, to be refused by name. */
export function batches<T>(items: readonly T[], limits: BatchLimits): T[][] {
  const result: T[][] = []
  let batch: T[] = []
  let bytes = ENVELOPE_BYTES
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1
    if (batch.length > 0 && (batch.length >= limits.batchItemsMax || bytes + size > limits.frameBytesMax)) {
      result.push(batch)
      batch = []
      bytes = ENVELOPE_BYTES
    }
    batch.push(item)
    bytes += size
  }
  if (batch.length > 0) result.push(batch)
  return result
}

/** What a node takes. */
export function limitsOf(welcome: WelcomeMessage): BatchLimits {
  return {
    batchItemsMax: Math.max(1, welcome.batchItemsMax),
    frameBytesMax: Math.max(1, welcome.frameBytesMax),
  }
}
