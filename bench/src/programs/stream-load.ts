/** Load on the stream: registrations in batches, and sessions that do nothing but live. */
import type { InstanceSpec } from '@rollcall/wire'
import { serveProgram } from '../program.js'
import { clientFrame, inParallel, PING_FRAME, RawStream } from './raw-stream.js'

/** Which instances: so many from a number on, spread over services. */
export interface Crowd {
  readonly port: number
  readonly from: number
  readonly instances: number
  readonly services: number
  readonly perMessage: number
  /** Whether the node is told not to probe: like providers that answered its first probe. */
  readonly unprobed?: boolean
}

/** Messages sent before the first of them is answered. */
const IN_FLIGHT = 4

/** A modest instance, as a platform team would register it. */
function instanceOf(number: number, { services, unprobed }: Crowd): InstanceSpec {
  const service = `service-${String(number % services).padStart(4, '0')}`
  const name = String(number).padStart(8, '0')
  return {
    service,
    id: `instance-${name}`,
    host: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    port: 8_080,
    zone: `zone-${number % 3}`,
    metadata: { version: '1.4.2', commit: name },
    incarnation: 1_700_000_000_000 + number,
    rev: 1,
    ...(unprobed === true ? { probe: { type: 'none' } } : {}),
  }
}

function framesOf(crowd: Crowd): Buffer[] {
  const { from, instances, perMessage } = crowd
  const frames: Buffer[] = []
  for (let first = from; first < from + instances; first += perMessage) {
    const count = Math.min(perMessage, from + instances - first)
    frames.push(
      clientFrame({
        type: 'register',
        instances: Array.from({ length: count }, (_, index) => instanceOf(first + index, crowd)),
      }),
    )
  }
  return frames
}

async function registerOn(stream: RawStream, frames: readonly Buffer[]): Promise<string> {
  let durability = ''
  let sent = 0
  for (; sent < Math.min(IN_FLIGHT, frames.length); sent++) stream.raw.socket.write(frames[sent] as Buffer)
  for (const _ of frames) {
    const { results } = await stream.expect('registered')
    const next = frames[sent++]
    if (next !== undefined) stream.raw.socket.write(next)
    for (const result of results) {
      if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`)
      ;({ durability } = result)
    }
  }
  return durability
}

const streams: RawStream[] = []
/** Streams of `register` say something this often. */
const BEAT_MS = 3_000
setInterval(() => {
  for (const { raw } of streams) raw.socket.write(PING_FRAME)
}, BEAT_MS).unref()

/** Registers over one stream that stays open; built beforehand, so that only sending and answering is timed. */
async function register(crowd: Crowd): Promise<{ seconds: number; bytes: number; durability: string }> {
  const frames = framesOf(crowd)
  const stream = await RawStream.open(crowd.port, { deflate: false })
  streams.push(stream)
  const startedAt = performance.now()
  const durability = await registerOn(stream, frames)
  // Its server may be killed while the session still stands.
  stream.raw.fail = () => {}
  return {
    seconds: (performance.now() - startedAt) / 1_000,
    bytes: frames.reduce((sum, frame) => sum + frame.length, 0),
    durability,
  }
}

/** Opens sessions that share the instances evenly, and keeps them alive as the SDK does. */
async function hold(crowd: Crowd & { readonly sessions: number; readonly pingMs: number }): Promise<void> {
  const each = Math.floor(crowd.instances / crowd.sessions)
  const ping = clientFrame({ type: 'ping' })
  await inParallel(crowd.sessions, 32, async (index) => {
    const stream = await RawStream.open(crowd.port, { deflate: true })
    await registerOn(stream, framesOf({ ...crowd, from: crowd.from + index * each, instances: each }))
    // Answers are read and thrown away. Sessions began one after the other, so their pings are spread.
    stream.raw.receive = () => {}
    setInterval(() => stream.raw.socket.write(ping), crowd.pingMs)
  })
}

/** Ends the streams of `register`. */
function leave(): void {
  for (const stream of streams.splice(0)) stream.raw.socket.destroy()
}

/** What this program can do. */
export type StreamLoad = {
  readonly register: typeof register
  readonly hold: typeof hold
  readonly leave: typeof leave
}
serveProgram({ register, hold, leave } satisfies StreamLoad)
