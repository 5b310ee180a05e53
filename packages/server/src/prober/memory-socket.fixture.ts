/** Two ends of a connection that exists in memory only. */
import { Duplex } from 'node:stream'

class Side extends Duplex {
  other: Side | undefined

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    if (this.other?.destroyed === false) this.other.push(chunk)
    callback()
  }

  override _final(callback: () => void): void {
    this.other?.push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.other?.readableEnded === false && !this.other.destroyed) this.other.push(null)
    callback(error)
  }
}

/** What one side writes the other reads; destroying one side ends the input of the other. */
export function memoryConnection(): { readonly near: Duplex; readonly far: Duplex } {
  const near = new Side()
  const far = new Side()
  near.other = far
  far.other = near
  return { near, far }
}
