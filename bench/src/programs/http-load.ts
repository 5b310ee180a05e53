/**
 * Load over HTTP: raw sockets that send bytes built beforehand and count answers by Content-Length. An HTTP
 * client in JavaScript costs more than the server it asks, and would measure itself.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { serveProgram } from '../program.js'
import { percentile } from '../statistics.js'

/** A place in the request where the number of the request is written, in so many digits. */
export interface Patch {
  readonly offset: number
  readonly digits: number
}

/** What to send, how fast and for how long. */
export interface HttpLoad {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  readonly request: Uint8Array
  readonly patches: readonly Patch[]
  /** Number of the first request. */
  readonly from: number
  /** Requests per second, spread evenly; without it each connection asks again as soon as it is answered. */
  readonly rate?: number
}

/** What came of it. A request that had to wait for a free connection is late from the moment it was due. */
export interface HttpLoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Sends requests on one connection, one after the other. */
class Asker {
  readonly socket: Socket
  private readonly request: Buffer
  private readonly patches: readonly Patch[]
  private readonly answered: (asker: Asker) => void
  /** From when on the answer under way is waited for. */
  since = 0
  /** Body bytes of the answer still to come; undefined until its head is complete. */
  private remaining: number | undefined
  private head = ''
  /** Bytes read since `head` began. */
  private seen = 0

  constructor(load: HttpLoad, answered: (asker: Asker) => void, failed: (error: Error) => void) {
    this.request = Buffer.from(load.request)
    this.patches = load.patches
    this.answered = answered
    // One buffer for all that is read: nothing is allocated per answer.
    const onread = {
      buffer: Buffer.allocUnsafe(65_536),
      callback: (bytes: number, buffer: Uint8Array): boolean => {
        try {
          this.read(buffer as Buffer, bytes)
        } catch (error) {
          failed(error as Error)
        }
        return true
      },
    }
    this.socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true, onread })
    this.socket.on('error', failed)
    this.socket.on('close', () => failed(new Error('the server closed a connection')))
  }

  send(number: number, since: number): void {
    for (const { offset, digits } of this.patches) writeDigits(this.request, offset, digits, number)
    this.since = since
    this.remaining = undefined
    this.socket.write(this.request)
  }

  private read(buffer: Buffer, bytes: number): void {
    if (this.remaining !== undefined) {
      this.remaining -= bytes
    } else {
      this.head += buffer.toString('latin1', 0, Math.min(bytes, 2_048))
      this.seen += bytes
      const end = this.head.indexOf('\r\n\r\n')
      if (end < 0) return
      const empty = this.head.startsWith('HTTP/1.1 204 ')
      const length = empty ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(this.head)?.[1] ?? Number.NaN)
      if (!(empty || this.head.startsWith('HTTP/1.1 200 ')) || Number.isNaN(length))
        throw new Error(`an unexpected answer: ${this.head}`)
      this.remaining = length - (this.seen - end - 4)
      this.head = ''
      this.seen = 0
    }
    if (this.remaining < 0) throw new Error('more than was asked for')
    if (this.remaining === 0) this.answered(this)
  }
}

function writeDigits(buffer: Buffer, offset: number, digits: number, number: number): void {
  let rest = number
  for (let at = offset + digits - 1; at >= offset; at--) {
    buffer[at] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

/** One run: every connection asks, is answered, and asks again, at once or when it is time. */
class Run {
  private readonly load: HttpLoad
  private readonly end: (error?: Error) => void
  private readonly askers: readonly Asker[]
  private readonly idle: Asker[] = []
  private readonly latencies: number[] = []
  private next: number
  private startedAt = 0
  /** Requests under way. */
  private open = 0
  private pace: NodeJS.Timeout | undefined
  private stopped = false

  constructor(load: HttpLoad, end: (error?: Error) => void) {
    this.load = load
    this.end = end
    this.next = load.from
    const answered = (asker: Asker): void => this.answered(asker)
    this.askers = Array.from({ length: load.connections }, () => new Asker(load, answered, end))
  }

  async start(): Promise<void> {
    await Promise.all(
      this.askers.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))),
    )
    this.startedAt = performance.now()
    if (this.load.rate === undefined) {
      for (const asker of this.askers) this.ask(asker, performance.now())
      this.stayAwake()
      return
    }
    this.idle.push(...this.askers)
    this.pace = setInterval(() => this.keepPace(performance.now()), 1)
  }

  stop(): void {
    this.stopped = true
    clearInterval(this.pace)
    for (const { socket } of this.askers) socket.removeAllListeners('close').destroy()
  }

  result(): HttpLoadResult {
    const sorted = Float64Array.from(this.latencies).sort()
    return {
      requests: sorted.length,
      seconds: (performance.now() - this.startedAt) / 1_000,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      maxMs: sorted.at(-1) ?? Number.NaN,
    }
  }

  /**
   * Never sleeps while it floods. A write to a sleeping process pays for waking it, on virtual machines more
   * than for everything else together; a slower server finds the load asleep more often and would pay twice.
   */
  private stayAwake(): void {
    if (!this.stopped) setImmediate(() => this.stayAwake())
  }

  private ask(asker: Asker, since: number): void {
    this.open++
    asker.send(this.next++, since)
  }

  private answered(asker: Asker): void {
    const now = performance.now()
    this.latencies.push(now - asker.since)
    this.open--
    if (this.over(now)) {
      if (this.open === 0) this.end()
    } else if (this.load.rate === undefined) {
      this.ask(asker, now)
    } else if (this.idle.length === 0 && this.dueAt() <= now) {
      this.ask(asker, this.dueAt())
    } else {
      this.idle.push(asker)
    }
  }

  private keepPace(now: number): void {
    if (this.over(now)) {
      if (this.open === 0) this.end()
      return
    }
    while (this.dueAt() <= now) {
      const asker = this.idle.pop()
      if (asker === undefined) return
      // A connection was free: that the timer is late is not the server's fault.
      this.ask(asker, now)
    }
  }

  /** When the next request is due in an even spacing. */
  private dueAt(): number {
    const { from, rate = Infinity } = this.load
    return this.startedAt + ((this.next - from) * 1_000) / rate
  }

  private over(now: number): boolean {
    return now - this.startedAt >= this.load.seconds * 1_000
  }
}

function run(load: HttpLoad): Promise<HttpLoadResult> {
  return new Promise((resolve, reject) => {
    const current = new Run(load, (error) => {
      current.stop()
      if (error === undefined) resolve(current.result())
      else reject(error)
    })
    current.start().catch(reject)
  })
}

/** The port that registered instances have, where they are to be reachable. */
function listen(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).destroy())
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** What this program can do. */
export type HttpLoadProgram = {
  readonly run: typeof run
  readonly listen: typeof listen
}
serveProgram({ run, listen } satisfies HttpLoadProgram)
