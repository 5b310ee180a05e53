/** What may be asked of an engine at once. What breaks it is a mistake of the caller, which no repetition mends. */
import { ENGINE_LIMITS, type EngineWrite } from '@rollcall/core'

/** Throws RangeError. */
export function checkWrites(writes: readonly EngineWrite[]): void {
  const { writesMax, bytesMax } = ENGINE_LIMITS
  if (writes.length > writesMax) throw new RangeError(`${writes.length} writes at once`)
  if (new Set(writes.map(({ key }) => key)).size < writes.length)
    throw new RangeError('two writes of one key at once')
  let bytes = 0
  for (const { key, value, ttlMs } of writes) {
    if (key === '') throw new RangeError('a write without a key')
    if (ttlMs !== undefined && !(ttlMs > 0)) throw new RangeError(`a life of ${ttlMs} ms`)
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > bytesMax) throw new RangeError(`writes of ${bytes} bytes at once`)
}

/** Throws RangeError. */
export function checkReads(keys: readonly string[]): void {
  if (keys.length > ENGINE_LIMITS.writesMax) throw new RangeError(`${keys.length} keys in one read`)
}
