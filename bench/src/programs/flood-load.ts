/** One client that asks for as much as it can, from an address of its own. */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CUT_OFF, type FloodName } from '../flood.js'
import { serveProgram } from '../program.js'
import { inParallel, messageOf, PING_FRAME, RawStream } from './raw-stream.js'

/** No other program of a flood uses it, so that the node takes the client for a peer of its own. */
const ADDRESS = '127.0.0.2'
/** Half of what a flood needs comes from here: near the bounds of a small node one address gets no more than its share. */
const OTHER_ADDRESS = '127.0.0.3'
const BATCH = 10_000
/** Lists of 12 MB, and of 20 MB. */
const LONG = 50_000
const FAT = 10_000
const FAT_NOTE = 'x'.repeat(2_000)
/** Far more than any heap holds. */
const RECORD_BATCHES_MAX = 600
const UNKNOWN_SIGN = '0000000000000000'
const HELD_MS = 2_000
/** A session that is silent for three times as long is over. */
const PING_MS = 2_000
const ENDED_MS_MAX = 120_000

let port = 0
/** In the short form what is refused anyway is asked for a tenth as often. */
let short = false
const agent = new Agent({ keepAlive: true, maxSockets: 512 })
const sockets = new Set<Socket>()
/** How often each quota was named in what came back. */
let refusals: Record<string, number> = {}

function read(chunk: Buffer): void {
  if (!chunk.includes('"quota"')) return
  for (const [, quota = ''] of chunk.toString('latin1').matchAll(/"quota":"(\w+)"/g)) refused(quota)
}

function refused(quota: string): void {
  refusals[quota] = (refusals[quota] ?? 0) + 1
}

interface Asked {
  readonly method?: string
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly from?: string
}

/** Sends a request and reads its answer to the end without keeping it; resolves to the status, 0 where it was cut off. */
function ask(
  path: string,
  { method = 'GET', json, headers = {}, from = ADDRESS }: Asked = {},
): Promise<number> {
  const type = json === undefined ? {} : { 'content-type': 'application/json' }
  const options = { port, host: '127.0.0.1', localAddress: from, path, method, agent }
  return new Promise((resolve) => {
    const cut = (): void => {
      refused(CUT_OFF)
      resolve(0)
    }
    request({ ...options, headers: { ...type, ...headers } }, (response) => {
      response.on('data', read).once('error', cut)
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
      .once('error', cut)
      .end(json === undefined ? undefined : JSON.stringify(json))
  })
}

const post = (path: string, instances: readonly object[], from = ADDRESS): Promise<number> =>
  ask(`/api/v1/${path}`, { method: 'POST', json: { instances }, from })

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost:1.1.1.1\r\n${more}\r\n`

/** Sends bytes over a connection of their own. What comes back is read only where that is asked for. */
async function send(bytes: string | Buffer, reads = false): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: ADDRESS })
  sockets.add(socket.on('error', () => {}))
  if (reads) socket.on('data', read)
  else socket.pause()
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

async function ended(socket: Socket): Promise<void> {
  const late = AbortSignal.timeout(ENDED_MS_MAX)
  await new Promise<void>((resolve, reject) => {
    late.addEventListener('abort', () => reject(new Error('the connection goes on')))
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

async function openStream(): Promise<RawStream> {
  const stream = await RawStream.open(port, { deflate: false, from: ADDRESS })
  const { socket } = stream.raw
  stream.raw.fail = () => {}
  sockets.add(socket)
  const pinging = setInterval(() => socket.write(PING_FRAME), PING_MS)
  socket.once('close', () => clearInterval(pinging))
  return stream
}

async function watch(stream: RawStream, first: number, count: number): Promise<void> {
  const services = Array.from({ length: count }, (_, each) => ({
    service: `u-${first + each}`,
    sign: UNKNOWN_SIGN,
  }))
  stream.send({ type: 'watch', services })
  read(Buffer.from(JSON.stringify(messageOf(await stream.frame()))))
}

const item = (service: string, id: number | string, more: object = {}): object => ({
  service,
  id: `i-${id}`,
  host: '10.0.0.1',
  port: 8_080,
  incarnation: 1,
  liveness: 'static',
  ...more,
})

/** What must succeed before a flood: registrations, so many at a time. */
async function fill(count: number, batch: number, make: (index: number) => object): Promise<void> {
  for (let first = 0; first < count; first += batch) {
    const items = Array.from({ length: Math.min(batch, count - first) }, (_, each) => make(first + each))
    const from = first % (2 * batch) === 0 ? ADDRESS : OTHER_ADDRESS
    if ((await post('register', items, from)) !== 200)
      throw new Error('the node did not take what the flood needs')
  }
  if (Object.keys(refusals).length > 0)
    throw new Error(`refused before the flood: ${JSON.stringify(refusals)}`)
}

const fillLong = (): Promise<void> => fill(LONG, BATCH, (index) => item('long', index))
const fatItem = (index: number, at = 8_080): object =>
  item('fat', index, { port: at, metadata: { note: FAT_NOTE } })
const fillFat = (): Promise<void> => fill(FAT, 1_000, (index) => fatItem(index))

async function watchInSessions(): Promise<void> {
  for (let batch = 0; batch < (short ? 10 : 100); batch++)
    await watch(await openStream(), batch * BATCH, BATCH)
}

async function registerUntilRefused(): Promise<void> {
  const metadata = { note: 'x'.repeat(8_092) }
  for (let batch = 0; batch < RECORD_BATCHES_MAX && Object.keys(refusals).length === 0; batch++) {
    const items = Array.from({ length: 500 }, (_, each) => item('records', batch * 500 + each, { metadata }))
    await post('register', items)
  }
}

/** What a flood needs, and the flood. */
interface Flood {
  prepare?(): Promise<void>
  perform(): Promise<unknown>
}

const FLOODS: Readonly<Record<FloodName, Flood>> = {
  pipelined: {
    prepare: fillLong,
    async perform() {
      const lookup = get('/api/v1/services/long?state=up')
      const last = get('/api/v1/services/long?state=up', 'Connection: close\r\n')
      const both = [await send(lookup.repeat(200), true), await send(lookup.repeat(99) + last, true)]
      await Promise.all(both.map(ended))
    },
  },
  unread: {
    prepare: fillFat,
    async perform() {
      for (let each = 0; each < 60; each++) await send(get('/api/v1/services/fat?state=up'))
      await sleep(HELD_MS)
    },
  },
  versions: {
    prepare: fillFat,
    async perform() {
      for (let each = 0; each < 60; each++) {
        await post('register', [fatItem(0, each + 1)])
        await send(get('/api/v1/services/fat?state=up'))
        await sleep(50)
      }
      await sleep(HELD_MS)
    },
  },
  strays: {
    async perform() {
      for (let batch = 0; batch < (short ? 10 : 102); batch++) {
        const id = (each: number): string => `i-${batch * BATCH + each}`
        await post(
          'deregister',
          Array.from({ length: BATCH }, (_, each) => ({ service: 'orders', id: id(each), incarnation: 1 })),
        )
      }
    },
  },
  watches: {
    async perform() {
      const stream = await openStream()
      for (let batch = 0; batch < 100; batch++) await watch(stream, batch * BATCH, BATCH)
      await sleep(HELD_MS)
    },
  },
  sessions: {
    async perform() {
      await watchInSessions()
      await sleep(HELD_MS)
    },
  },
  waiting: {
    prepare: () => fill(20_000, BATCH, (index) => item(`s-${index}`, 0)),
    async perform() {
      const headers = { 'if-none-match': `W/"${UNKNOWN_SIGN}"` }
      const waits = Array.from({ length: 300 }, (_, each) =>
        ask(`/api/v1/services?prefix=zzz${each}&limit=1&wait=4s`, { headers }),
      )
      await sleep(1_000)
      for (let change = 0; change < 5; change++) {
        await post('register', [item(`changed-${change}`, 0)])
        await sleep(300)
      }
      await Promise.all(waits)
    },
  },
  polls: {
    async perform() {
      const poll = get('/api/v1/services/nothing?since=0000000000000000&wait=60s')
      const socket = await send(poll.repeat(12_000), true)
      await ended(socket)
      refused(CUT_OFF)
    },
  },
  since: {
    prepare: fillLong,
    perform: () =>
      inParallel(50, 50, (each) => ask(`/api/v1/services/long?since=${String(each).padStart(16, 'f')}`)),
  },
  records: { perform: registerUntilRefused },
  bodies: {
    async perform() {
      const head = `POST /api/v1/register HTTP/1.1\r\nHost:1.1.1.1\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n`
      const part = Buffer.from(head + ' '.repeat(7_000_000))
      await Promise.all(Array.from({ length: 60 }, () => send(part, true)))
      await sleep(HELD_MS)
    },
  },
  together: {
    async perform() {
      await registerUntilRefused()
      const metadata = { note: 'x'.repeat(700) }
      const large = (each: number): object[] =>
        Array.from({ length: 9_500 }, (_, index) => item('large', `${each}-${index}`, { metadata }))
      await Promise.all([
        inParallel(60, 20, (each) => post('register', large(each))),
        watchInSessions(),
        inParallel(20, 20, () => send(get('/api/v1/services/records?state=up'))),
      ])
      await sleep(HELD_MS)
    },
  },
}

/** Which node is flooded how. */
interface FloodRequest {
  readonly port: number
  readonly flood: FloodName
  readonly short: boolean
}

/** Gets ready for a flood. */
async function prepare(argument: FloodRequest): Promise<void> {
  ;({ port, short } = argument)
  await FLOODS[argument.flood].prepare?.()
}

/** Floods, and resolves to the quotas that were named in refusals. What it opened stays open. */
async function perform(flood: FloodName): Promise<Readonly<Record<string, number>>> {
  refusals = {}
  await FLOODS[flood].perform()
  return refusals
}

/** Goes away. */
function release(): void {
  for (const socket of sockets) socket.destroy()
  agent.destroy()
}

/** What this program can do. */
export type FloodLoad = {
  readonly prepare: typeof prepare
  readonly perform: typeof perform
  readonly release: typeof release
}
serveProgram({ prepare, perform, release } satisfies FloodLoad)
