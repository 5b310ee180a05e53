/**
 * Many services under watch: a provider that changes instances, and a consumer that is the SDK or only parses. Each
 * runs in a process of its own.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect, type Rollcall } from '@rollcall/client'
import { STREAM_PATH, STREAM_PROTOCOL, type InstanceSpec } from '@rollcall/wire'
import { WebSocket } from 'ws'
import { serveProgram } from '../program.js'
import { PING_FRAME, clientFrame, RawStream } from './raw-stream.js'

const PER_MESSAGE = 1_000
const BEAT_MS = 2_000
/** More than enough for anything on the same machine. */
const WAIT_MS_MAX = 30_000

/** Which services: `service-0` and so on, with so many instances each. */
export interface Watched {
  readonly port: number
  readonly services: number
  readonly instances: number
}

let provider: RawStream | undefined

function instanceOf(service: number, index: number, revision: number): InstanceSpec {
  return {
    service: `service-${service}`,
    id: `instance-${service}-${index}`,
    host: `10.1.${index >> 8}.${index & 255}`,
    port: 8_080,
    zone: `zone-${index % 3}`,
    metadata: { version: '1.4.2', revision: String(revision) },
    incarnation: 1_700_000_000_000 + index,
    rev: 1 + revision,
    probe: { type: 'none' },
  }
}

/** Registers all of them, and keeps them alive. */
async function provide({ port, services, instances }: Watched): Promise<void> {
  const all = Array.from({ length: services * instances }, (_, index) =>
    instanceOf(Math.floor(index / instances), index % instances, 0),
  )
  provider = await RawStream.open(port, { deflate: true })
  setInterval(() => provider?.raw.socket.write(PING_FRAME), BEAT_MS).unref()
  for (let from = 0; from < all.length; from += PER_MESSAGE)
    await registered(all.slice(from, from + PER_MESSAGE))
}

async function registered(instances: readonly InstanceSpec[]): Promise<void> {
  provider?.raw.socket.write(clientFrame({ type: 'register', instances }))
  const answer = await provider?.expect('registered')
  if (answer?.results.every(({ ok }) => ok) !== true) throw new Error('refused')
}

/** Changes one instance of each of the services, in messages of their own. */
async function change(to: { readonly services: number; readonly revision: number }): Promise<void> {
  for (let service = 0; service < to.services; service++)
    await registered([instanceOf(service, to.revision % 10, to.revision)])
}

let client: Rollcall | undefined
/** Revisions that the bare consumer has read. */
const read = new Map<string, number>()

/** Watches everything with the SDK; resolves when all lists are there. */
async function watchWithSdk({ port, services, instances }: Watched): Promise<void> {
  client = await connect({ registries: [`http://127.0.0.1:${port}`], snapshotDir: false, warmup: false })
  const names = Array.from({ length: services }, (_, index) => `service-${index}`)
  const lists = await client.ready(names, { timeoutMs: WAIT_MS_MAX })
  for (const list of lists)
    if (list.instances().length !== instances) throw new Error(`${list.name} is not complete`)
}

/** Watches everything and does nothing with a message but parse it. */
async function watchBare({ port, services }: Watched): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${STREAM_PATH}`, STREAM_PROTOCOL)
  const views = new Promise<void>((resolve, reject) => {
    let missing = services
    socket.once('error', reject)
    socket.on('message', (data) => {
      const message: unknown = JSON.parse((data as Buffer).toString())
      if (isDelta(message)) read.set(message.service, Number(message.upserts[0]?.metadata['revision']))
      else if ((message as { readonly type: string }).type === 'view' && --missing === 0) resolve()
    })
  })
  await new Promise((resolve) => socket.once('open', resolve))
  const items = Array.from({ length: services }, (_, index) => ({ service: `service-${index}` }))
  socket.send(JSON.stringify({ type: 'hello' }))
  socket.send(JSON.stringify({ type: 'watch', services: items }))
  setInterval(() => socket.send('{"type":"ping"}'), BEAT_MS).unref()
  await views
}

function isDelta(message: unknown): message is {
  readonly service: string
  readonly upserts: readonly { readonly metadata: Readonly<Record<string, string>> }[]
} {
  return (message as { readonly type: string }).type === 'delta'
}

/** Resolves when this revision has arrived in all of the services. */
async function reached(goal: { readonly services: number; readonly revision: number }): Promise<void> {
  for (const end = performance.now() + WAIT_MS_MAX; performance.now() < end;) {
    if (seen(goal.services, goal.revision)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('a change did not arrive')
}

/** Only the last service is looked at in the waiting: changes come in order, and looking costs as well. */
function seen(services: number, revision: number): boolean {
  const name = `service-${services - 1}`
  if (client === undefined) return read.get(name) === revision
  return client
    .service(name)
    .instances()
    .some(({ metadata }) => metadata['revision'] === String(revision))
}

/** Bytes of the heap after a full collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let turn = 0; turn < 3; turn++) collect()
  return process.memoryUsage().heapUsed
}

/** What this program can do. */
export type WatchedLoad = {
  readonly provide: typeof provide
  readonly change: typeof change
  readonly watchWithSdk: typeof watchWithSdk
  readonly watchBare: typeof watchBare
  readonly reached: typeof reached
  readonly heapBytes: typeof heapBytes
}
serveProgram({ provide, change, watchWithSdk, watchBare, reached, heapBytes } satisfies WatchedLoad)
