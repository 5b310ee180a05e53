/** A network between two that fails: a TCP proxy that stops passing anything on, or is slow, without ending anything. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

/** A way to one address. */
export interface Way {
  readonly host: string
  readonly port: number
  /** From now on bytes are swallowed in both directions; connections are taken and lead nowhere. */
  cut(): void
  /** From now on bytes get there, and nothing comes back. */
  mute(): void
  /** What was sent meanwhile arrives late, as after retransmission. */
  heal(): void
  /** From now on everything takes so much longer, in each direction. */
  delay(ms: number): void
  /** Ends all connections. */
  reset(): void
  close(): Promise<void>
}

/** Which directions are stopped. */
interface Stopped {
  readonly there: boolean
  readonly back: boolean
}

/** Opens a way to an address. */
export async function openWay(target: { readonly host: string; readonly port: number }): Promise<Way> {
  const pairs = new Set<Pair>()
  let stopped: Stopped = { there: false, back: false }
  let delayMs = 0
  const server = createServer((near) => {
    const pair = new Pair(near, connect(target.port, target.host), () => delayMs)
    pairs.add(pair)
    near.once('close', () => pairs.delete(pair))
    pair.stop(stopped)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = (directions: Stopped): void => {
    stopped = directions
    for (const pair of pairs) pair.stop(directions)
  }
  const reset = (): void => {
    for (const pair of pairs) pair.destroy()
  }
  return {
    host: '127.0.0.1',
    port,
    cut: () => stop({ there: true, back: true }),
    mute: () => stop({ there: false, back: true }),
    heal: () => stop({ there: false, back: false }),
    delay: (ms) => (delayMs = ms),
    reset,
    async close() {
      reset()
      server.close()
      await once(server, 'close')
    },
  }
}

/** One connection: from its client to the proxy, and from there on. */
class Pair {
  private readonly near: Socket
  private readonly far: Socket

  constructor(near: Socket, far: Socket, delayMs: () => number) {
    this.near = near
    this.far = far
    // `pipe` would set paused sockets going again.
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      // Whatever comes later waits until what came before has passed: bytes that overtake are another stream.
      const passing: (() => void)[] = []
      const later = (run: () => void): void => {
        if (passing.length === 0 && delayMs() === 0) return run()
        passing.push(run)
        setTimeout(() => passing.shift()?.(), delayMs())
      }
      from.on('error', () => {})
      from.on('data', (bytes: Buffer) => later(() => void to.write(bytes)))
      from.once('end', () => later(() => to.end()))
      from.once('close', () => to.destroy())
    }
  }

  stop({ there, back }: Stopped): void {
    if (there) this.near.pause()
    else this.near.resume()
    if (back) this.far.pause()
    else this.far.resume()
  }

  destroy(): void {
    this.near.destroy()
    this.far.destroy()
  }
}
