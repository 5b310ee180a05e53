/**
 * Load of the fan-out: one provider that changes its instances, and many subscribers, in one process so that one
 * clock times both ends. Or, in another process, as many sockets that receive the same frames from the bare server.
 */
import type { InstanceSpec } from '@rollcall/wire'
import { setTimeout as sleep } from 'node:timers/promises'
import { FrameReader, OPCODES, type Frame } from '../frames.js'
import { serveProgram } from '../program.js'
import { percentile } from '../statistics.js'
import { Audience } from './audience.js'
import {
  clientFrame,
  inParallel,
  messageOf,
  openSocket,
  PING_FRAME,
  RawStream,
  type RawSocket,
} from './raw-stream.js'

const SERVICE = 'orders'
const CONNECTING_MAX = 64
/** Streams say something this often outside the rounds … */
const BEAT_MS = 2_000
/** … and a round ends early rather than that the node, after 9 s, takes them for dead. */
const ROUND_MS_MAX = 5_000

/** What to change. */
export interface Changes {
  readonly steps: number
  /** Instances changed at once in each step, each in a message of its own. */
  readonly perStep: number
  /** From one step to the next, if all have received the first by then. */
  readonly intervalMs: number
  /** Whether every subscriber acknowledges what it received, as the SDK does. */
  readonly acknowledge: boolean
}

/** What came of it. */
export interface Delivery {
  readonly subscribers: number
  /** Frames each subscriber received. */
  readonly frames: number
  readonly bytes: number
  /** From a change to its last frame at a subscriber. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** The frames of each step as they were on the wire. */
  readonly script: readonly (readonly Uint8Array[])[]
}

let instances: InstanceSpec[] = []
let provider: RawStream | undefined
let witness: { readonly raw: RawSocket; frames: Frame[]; told: () => void } | undefined
let control: RawSocket | undefined
const watchers = new Audience()
const listeners = new Audience()
let framesSoFar = 0
let rawFramesSoFar = 0
let beating = true

/** A ping from every subscriber, just before a round. */
function beat(): void {
  for (const one of [provider, witness]) one?.raw.socket.write(PING_FRAME)
  watchers.write(PING_FRAME)
}

function instanceOf(index: number): InstanceSpec {
  return {
    service: SERVICE,
    id: `orders-${String(index).padStart(4, '0')}`,
    host: `10.1.${index >> 8}.${index & 255}`,
    port: 8_080,
    zone: `zone-${index % 3}`,
    metadata: { version: '1.4.2', revision: '0' },
    incarnation: 1_700_000_000_000 + index,
    rev: 1,
  }
}

async function provide({ port, count }: { readonly port: number; readonly count: number }): Promise<void> {
  instances = Array.from({ length: count }, (_, index) => instanceOf(index))
  provider = await RawStream.open(port, { deflate: true })
  provider.send({ type: 'register', instances })
  const { results } = await provider.expect('registered')
  if (!results.every(({ ok }) => ok))
    throw new Error(`refused: ${JSON.stringify(results.find(({ ok }) => !ok))}`)
  setInterval(() => {
    if (beating) beat()
  }, BEAT_MS).unref()
}

/** The first frame of a subscriber that knows nothing: the whole list. */
async function wholeList(port: number, deflate: boolean): Promise<{ bytes: number; sign: string }> {
  const stream = await RawStream.open(port, { deflate })
  stream.send({ type: 'watch', services: [{ service: SERVICE }] })
  for (;;) {
    const frame = await stream.frame()
    const message = messageOf(frame)
    if (message.type !== 'view') continue
    stream.raw.fail = () => {}
    stream.raw.socket.destroy()
    return { bytes: frame.bytes.length, sign: message.sign }
  }
}

/** Subscribers that show the current sign, so that they begin with nothing to be sent. */
async function watch({ port, count }: { readonly port: number; readonly count: number }): Promise<{
  readonly listBytes: number
  readonly compressedListBytes: number
}> {
  const plain = await wholeList(port, false)
  const compressed = await wholeList(port, true)
  const raws = await inParallel(count, CONNECTING_MAX, async (index) => {
    const stream = await RawStream.open(port, { deflate: true })
    stream.send({ type: 'watch', services: [{ service: SERVICE, sign: plain.sign }] })
    await stream.expect('watching')
    if (index === 0) listenToWitness(stream.raw)
    else watchers.add(stream.raw)
    return stream.raw
  })
  if (raws.length !== watchers.size + 1) throw new Error('a subscriber is missing')
  return { listBytes: plain.bytes, compressedListBytes: compressed.bytes }
}

/** One subscriber reads every word, so that the others need not. */
function listenToWitness(raw: RawSocket): void {
  const reader = new FrameReader()
  const state = { raw, frames: [] as Frame[], told: (): void => {} }
  witness = state
  raw.receive = (chunk) => {
    for (const frame of reader.read(chunk)) if (frame.opcode === OPCODES.text) state.frames.push(frame)
    if (state.frames.length > 0) state.told()
  }
}

async function change({ steps, perStep, intervalMs, acknowledge }: Changes): Promise<Delivery> {
  beating = false
  try {
    const delays: number[] = []
    const script: Uint8Array[][] = []
    const startedAt = performance.now()
    for (let step = 0; step < steps && performance.now() - startedAt < ROUND_MS_MAX; step++) {
      const messages = Array.from({ length: perStep }, (_, index) =>
        nextVersion((step * perStep + index) % instances.length),
      )
      const since = performance.now()
      provider?.raw.socket.write(
        Buffer.concat(messages.map((instance) => clientFrame({ type: 'register', instances: [instance] }))),
      )
      const frames = await witnessed(messages)
      framesSoFar += frames.length
      await watchers.reached(framesSoFar)
      for (const _ of messages) await provider?.expect('registered')
      delays.push(...watchers.delays(since))
      script.push(frames.map(({ bytes }) => Uint8Array.from(bytes)))
      if (acknowledge) watchers.write(clientFrame({ type: 'ack', seq: seqOf(frames) }))
      await sleep(Math.max(0, since + intervalMs - performance.now()))
    }
    return summary(watchers, delays, script)
  } finally {
    beating = true
  }
}

function nextVersion(index: number): InstanceSpec {
  const last = instances[index] as InstanceSpec
  const rev = (last.rev ?? 0) + 1
  const next = { ...last, rev, metadata: { ...last.metadata, revision: String(rev) } }
  instances[index] = next
  return next
}

/** The frames with which the witness has learnt of all these versions. */
async function witnessed(expected: readonly InstanceSpec[]): Promise<Frame[]> {
  if (witness === undefined) throw new Error('no subscriber')
  const missing = new Map(expected.map(({ id, rev }) => [id, String(rev)]))
  const taken: Frame[] = []
  for (;;) {
    for (const frame of witness.frames.splice(0)) {
      const message = messageOf(frame)
      if (message.type !== 'delta') throw new Error(`a ${message.type} instead of a change`)
      taken.push(frame)
      for (const { id, metadata } of message.upserts)
        if (missing.get(id) === metadata['revision']) missing.delete(id)
    }
    if (missing.size === 0) return taken
    await new Promise<void>((resolve) => {
      if (witness !== undefined) witness.told = resolve
    })
  }
}

function seqOf(frames: readonly Frame[]): number {
  const last = frames.at(-1)
  const message = last === undefined ? undefined : messageOf(last)
  return message?.type === 'delta' ? message.seq : 0
}

/** As many sockets at the bare server. */
async function listen(to: {
  readonly port: number
  readonly controlPort: number
  readonly count: number
}): Promise<void> {
  const raws = await inParallel(to.count, CONNECTING_MAX, () => openSocket(to.port))
  for (const raw of raws.slice(1)) listeners.add(raw)
  control = await openSocket(to.controlPort)
}

/** The same frames at the same pace through the bare server. */
async function replay({
  script,
  intervalMs,
}: {
  readonly script: Delivery['script']
  readonly intervalMs: number
}): Promise<Delivery> {
  const delays: number[] = []
  for (const frames of script) {
    const since = performance.now()
    for (const frame of frames) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(frame.length)
      control?.socket.write(Buffer.concat([length, frame]))
      await listeners.reached(++rawFramesSoFar)
    }
    delays.push(...listeners.delays(since))
    await sleep(Math.max(0, since + intervalMs - performance.now()))
  }
  return summary(listeners, delays, script)
}

function summary(audience: Audience, delays: readonly number[], script: Delivery['script']): Delivery {
  const sorted = Float64Array.from(delays).sort()
  const all = script.flat()
  return {
    // The witness is one of them.
    subscribers: audience.size + 1,
    frames: all.length,
    bytes: all.reduce((sum, frame) => sum + frame.length, 0),
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
    script,
  }
}

/** What this program can do. */
export type FanOutLoad = {
  readonly provide: typeof provide
  readonly watch: typeof watch
  readonly beat: typeof beat
  readonly change: typeof change
  readonly listen: typeof listen
  readonly replay: typeof replay
}
serveProgram({ provide, watch, beat, change, listen, replay } satisfies FanOutLoad)
