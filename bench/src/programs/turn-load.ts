/** One operation at its limits after the other, each of which a single client may ask for. */
import { Agent, request } from 'node:http'
import type { InstanceSpec } from '@rollcall/wire'
import { serveProgram } from '../program.js'
import { inParallel, RawStream } from './raw-stream.js'

const BATCH = 10_000
/** Instances of the long list. */
const LONG = 50_000
const LONG_PATH = '/api/v1/services/long'
const DECLARED = 2_000
const GROUPS = 1_000
/** As many watches as one stream may have, and so many streams. */
const WATCHES = 10_000
const STREAMS = 5
const WAITING = 300

let port = 0
let round = 0
const agent = new Agent({ keepAlive: true, maxSockets: 512 })

interface Asked {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a request and reads its answer to the end without keeping it; resolves to the status. */
function ask(path: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<number> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    request(
      { port, host: '127.0.0.1', path, method, agent, headers: { ...json, ...headers } },
      (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0))
        response.once('error', reject)
      },
    )
      .once('error', reject)
      .end(body)
  })
}

/** A write that must succeed. */
async function write(path: string, value: unknown, method = 'POST'): Promise<void> {
  const status = await ask(path, { method, body: JSON.stringify(value) })
  if (status !== 200) throw new Error(`${method} ${path} answered ${status}`)
}

function instances(count: number, name: string, host?: string): InstanceSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    service: name.split('-', 1)[0] ?? name,
    id: `${name}-${index}`,
    host: host ?? `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    port: 8_080,
    zone: `zone-${index % 2}`,
    metadata: { version: '1.4.2' },
    incarnation: 1,
    liveness: 'static',
  }))
}

async function register(items: readonly InstanceSpec[]): Promise<void> {
  for (let first = 0; first < items.length; first += BATCH)
    await write('/api/v1/register', { instances: items.slice(first, first + BATCH) })
}

/** Fills the node with what the operations need. */
async function prepare(argument: { readonly port: number }): Promise<void> {
  ;({ port } = argument)
  await register(instances(LONG, 'long'))
  const groups = Array.from({ length: GROUPS }, (_, index) => `group-${index}`)
  await inParallel(DECLARED, 8, (index) => write(`/api/v1/services/declared-${index}`, { groups }, 'PUT'))
}

async function openWatches(index: number): Promise<RawStream> {
  const stream = await RawStream.open(port, { deflate: false })
  const services = Array.from({ length: WATCHES }, (_, each) => ({
    service: `unknown-${index}-${each}`,
    sign: '0000000000000000',
  }))
  stream.send({ type: 'watch', services })
  await stream.expect('watching')
  return stream
}

async function openRegistrations(): Promise<RawStream> {
  const stream = await RawStream.open(port, { deflate: false })
  for (let first = 0; first < LONG; first += 1_000) {
    const all = instances(1_000, `held-${round}-${first}`)
    stream.send({ type: 'register', instances: all.map((item) => ({ ...item, liveness: 'lease' })) })
    await stream.expect('registered')
  }
  return stream
}

function close(stream: RawStream): void {
  stream.raw.fail = () => {}
  stream.raw.socket.destroy()
}

/** Prepares what is not measured, and returns what is. */
type Operation = () => Promise<() => Promise<unknown> | void>

const OPERATIONS: Readonly<Record<string, Operation>> = {
  async '10,000 registrations in one request'() {
    const all = instances(BATCH, `batch-${round}`)
    return () => register(all)
  },
  async '10,000 refused items in one request'() {
    const body = JSON.stringify({ instances: Array.from({ length: BATCH }, () => 0) })
    return () => ask('/api/v1/register', { method: 'POST', body })
  },
  async '10,000 deregistrations in one request'() {
    const refs = instances(BATCH, `batch-${round}`).map(({ service, id }) => ({
      service,
      id,
      incarnation: 1,
    }))
    return () => write('/api/v1/deregister', { instances: refs })
  },
  async 'removal of a host with 10,000 instances'() {
    await register(instances(BATCH, `hosted-${round}`, '10.99.0.1'))
    return () => write('/api/v1/deregister', { host: '10.99.0.1', confirm: true })
  },
  async 'removal of a host with none'() {
    return () => ask('/api/v1/deregister', { method: 'POST', body: JSON.stringify({ host: '10.99.0.2' }) })
  },
  async '50 lookups of a list of 50,000 at once'() {
    return () => inParallel(50, 50, () => ask(LONG_PATH))
  },
  async '50 lookups since an unknown sign, 50,000 instances'() {
    return () => inParallel(50, 50, (each) => ask(`${LONG_PATH}?since=${String(each).padStart(16, 'f')}`))
  },
  async '50 lookups of parts of a list of 50,000'() {
    const filters = ['state=up', 'zone=zone-0', 'zone=zone-1', 'state=up,down&zone=zone-0', 'zone=none']
    return () => inParallel(50, 50, (each) => ask(`${LONG_PATH}?${filters[each % filters.length]}`))
  },
  async 'first watch of a list of 50,000'() {
    const stream = await RawStream.open(port, { deflate: false })
    return async () => {
      stream.send({ type: 'watch', services: [{ service: 'long' }] })
      await stream.frame()
      close(stream)
    }
  },
  async 'page of 10,000 services with 1,000 groups each'() {
    return () => ask('/api/v1/services?limit=10000&prefix=declared')
  },
  async '300 waiting lists of services, one registration'() {
    const waits: Promise<number>[] = []
    for (let each = 0; each < WAITING; each++) {
      const path = `/api/v1/services?prefix=none${each}&limit=1`
      waits.push(ask(`${path}&wait=2s`, { headers: { 'if-none-match': 'W/"0000000000000000"' } }))
    }
    return async () => {
      await register(instances(1, `waited-${round}`))
      await Promise.all(waits)
    }
  },
  async 'close of 5 streams with 10,000 watches each'() {
    const streams = await inParallel(STREAMS, STREAMS, openWatches)
    return () => streams.forEach(close)
  },
  async 'close of a session with 50,000 registrations'() {
    const stream = await openRegistrations()
    return () => close(stream)
  },
}

let run: (() => Promise<unknown> | void) | undefined

/** Gets ready for an operation of a round. */
async function ready(argument: { readonly round: number; readonly operation: string }): Promise<void> {
  ;({ round } = argument)
  run = await OPERATIONS[argument.operation]?.()
}

/** Does it. */
async function perform(): Promise<void> {
  await run?.()
}

/** What this program can do. */
export type TurnLoad = {
  readonly operations: () => string[]
  readonly prepare: typeof prepare
  readonly ready: typeof ready
  readonly perform: typeof perform
}
serveProgram({ operations: () => Object.keys(OPERATIONS), prepare, ready, perform } satisfies TurnLoad)
