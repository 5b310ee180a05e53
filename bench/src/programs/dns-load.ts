/** Load over DNS: a few UDP sockets, each with some queries under way, that count what comes back by the id of the query. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { serveProgram } from '../program.js'
import { percentile } from '../statistics.js'

const SOCKETS = 8
/** Queries under way on each: what a kernel's buffer takes without dropping. */
const WINDOW = 8
/** What is not answered by then is lost, and asked anew. */
const LOST_MS = 500

/** What is asked, for how long. */
interface DnsLoad {
  readonly port: number
  readonly seconds: number
  readonly query: Uint8Array
}

interface DnsLoadResult {
  readonly queries: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lost: number
}

/** One socket: every answer is followed by the next query. */
class Asker {
  readonly latencies: number[] = []
  lost = 0
  private readonly socket: Socket
  private readonly query: Buffer
  private readonly askedAt = new Map<number, number>()
  private next = 0
  private stopped = false

  constructor(socket: Socket, query: Uint8Array) {
    this.socket = socket
    this.query = Buffer.from(query)
    socket.on('message', (answer) => this.answered(answer))
  }

  ask(): void {
    const id = this.next++ & 0xffff
    const message = Buffer.from(this.query)
    message.writeUInt16BE(id, 0)
    this.askedAt.set(id, performance.now())
    this.socket.send(message)
  }

  /** Asks anew what was lost. */
  sweep(now: number): void {
    for (const [id, at] of this.askedAt) {
      if (now - at < LOST_MS) return
      this.askedAt.delete(id)
      this.lost++
      this.ask()
    }
  }

  stop(): void {
    this.stopped = true
    this.socket.close()
  }

  private answered(answer: Buffer): void {
    const at = this.askedAt.get(answer.readUInt16BE(0))
    if (this.stopped || at === undefined) return
    if ((answer.readUInt8(3) & 15) !== 0 || answer.readUInt16BE(6) === 0) throw new Error('not an answer')
    this.askedAt.delete(answer.readUInt16BE(0))
    this.latencies.push(performance.now() - at)
    this.ask()
  }
}

async function run({ port, seconds, query }: DnsLoad): Promise<DnsLoadResult> {
  const askers: Asker[] = []
  for (let each = 0; each < SOCKETS; each++) {
    const socket = createSocket('udp4')
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    askers.push(new Asker(socket, query))
  }
  const startedAt = performance.now()
  for (const asker of askers) for (let each = 0; each < WINDOW; each++) asker.ask()
  const sweeping = setInterval(() => {
    for (const asker of askers) asker.sweep(performance.now())
  }, LOST_MS / 5)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  const tookSeconds = (performance.now() - startedAt) / 1_000
  clearInterval(sweeping)
  for (const asker of askers) asker.stop()
  const sorted = Float64Array.from(askers.flatMap(({ latencies }) => latencies)).sort()
  return {
    queries: sorted.length,
    seconds: tookSeconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    lost: askers.reduce((sum, { lost }) => sum + lost, 0),
  }
}

/** One query; resolves to its answer. */
async function askOnce({ port, query }: Omit<DnsLoad, 'seconds'>): Promise<Uint8Array> {
  const socket = createSocket('udp4')
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.send(Buffer.from(query))
  const [answer] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  return answer
}

/** What this program can do. */
export type DnsLoadProgram = { readonly run: typeof run; readonly askOnce: typeof askOnce }
serveProgram({ run, askOnce } satisfies DnsLoadProgram)
