/** Clients that wait for a change: by Consul's blocking queries, or by the native stream. The same change for both, told by the same clock. */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveProgram } from '../program.js'
import { percentile } from '../statistics.js'
import { clientFrame, inParallel, openSocket, PING_FRAME, RawStream, type RawSocket } from './raw-stream.js'

const SERVICE = 'orders'
/** Longer than the window in which changes merge. */
const GAP_MS = 300
/** What an idle client of the stream sends, lest it counts as silent. */
const PING_MS = 3_000
const TOLD_MS_MAX = 10_000

/** Who waits, and where. */
interface Audience {
  readonly kind: 'blocking' | 'stream'
  readonly port: number
  /** The port of the native protocol, where changes are made. */
  readonly native: number
  readonly count: number
}

let native = 0
let version = 0
let count = 0
let told: number[] = []
let changedAt = 0
let allTold = (): void => {}

function tell(): void {
  told.push(performance.now() - changedAt)
  if (told.length >= count) allTold()
}

/** One client that asks again as soon as it is answered. */
class Blocked {
  private readonly raw: RawSocket
  private readonly port: number
  private index = '0'
  private text = ''
  private first = true

  constructor(raw: RawSocket, port: number) {
    this.raw = raw
    this.port = port
    raw.receive = (chunk) => this.read(chunk)
  }

  ask(): void {
    const query = this.first ? '' : `&index=${this.index}&wait=5m`
    this.raw.socket.write(
      `GET /v1/health/service/${SERVICE}?passing=1${query} HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\n\r\n`,
    )
  }

  private read(chunk: Buffer): void {
    this.text += chunk.toString('latin1')
    const end = this.text.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.text)?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) throw new Error(`no length: ${this.text.slice(0, 500)}`)
    if (this.text.length < end + 4 + length) return
    this.index = /\r\nx-consul-index: (\d+)/i.exec(this.text)?.[1] ?? '0'
    this.text = ''
    if (this.first) this.first = false
    else tell()
    this.ask()
  }
}

async function open(audience: Audience): Promise<void> {
  ;({ native, count } = audience)
  await inParallel(count, 50, async () => {
    if (audience.kind === 'blocking') {
      new Blocked(await openSocket(audience.port), audience.port).ask()
      return
    }
    const stream = await RawStream.open(audience.port, { deflate: false })
    stream.raw.socket.write(clientFrame({ type: 'watch', services: [{ service: SERVICE }] }))
    await stream.frame()
    setInterval(() => stream.raw.socket.write(PING_FRAME), PING_MS)
    void follow(stream)
  })
  await sleep(1_000)
}

/** Every text frame from now on is a change. */
async function follow(stream: RawStream): Promise<void> {
  for (;;) {
    await stream.frame()
    tell()
  }
}

function change(): Promise<void> {
  const body = JSON.stringify({
    instances: [
      {
        service: SERVICE,
        id: 'changing',
        host: '10.1.2.99',
        port: 8_080,
        metadata: { version: String(version++) },
        incarnation: 1,
        rev: version,
        liveness: 'static',
      },
    ],
  })
  return new Promise((resolve, reject) => {
    request(
      {
        port: native,
        host: '127.0.0.1',
        path: '/api/v1/register',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      (response) => response.resume().once('end', resolve),
    )
      .once('error', reject)
      .end(body)
  })
}

/** Makes changes, one after the other, and waits until all clients have each. */
async function wake({ changes }: { readonly changes: number }): Promise<{
  readonly p50Ms: number
  readonly p99Ms: number
  readonly told: number
}> {
  const all: number[] = []
  version = Math.max(version, Date.now() % 1_000_000_000)
  for (let each = 0; each < changes; each++) {
    told = []
    const done = new Promise<void>((resolve) => {
      allTold = resolve
    })
    changedAt = performance.now()
    await change()
    const late = sleep(TOLD_MS_MAX, true, { ref: false })
    if ((await Promise.race([done, late])) === true) throw new Error(`${told.length} of ${count} were told`)
    all.push(...told)
    await sleep(GAP_MS)
  }
  const sorted = Float64Array.from(all).sort()
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), told: sorted.length }
}

/** What this program can do. */
export type WakeLoad = { readonly open: typeof open; readonly wake: typeof wake }
serveProgram({ open, wake } satisfies WakeLoad)
