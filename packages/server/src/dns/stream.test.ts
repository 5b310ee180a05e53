/** A connection of a DNS client in time that is moved by hand: what stands still ends, what is not read is not answered. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { framed } from './frames.js'
import { serveStream } from './stream.js'

const BOUNDS = { idleMs: 1_000, queryBytesMax: 100, unsentBytesMax: 1_000, turnQueriesMax: 10, turnMsMax: 2 }

/** The node's end of a connection whose client reads when it is told to. */
class FakeSocket extends Duplex {
  readonly remoteAddress = '192.0.2.1'
  readonly taken: number[] = []
  private readonly waiting: (() => void)[] = []
  reads = true

  constructor() {
    super({ allowHalfOpen: true, highWaterMark: 500 })
  }

  setNoDelay(): void {}

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(bytes.length)
    if (this.reads) done()
    else this.waiting.push(done)
  }

  /** The client reads what it was sent. */
  read1(): void {
    this.waiting.shift()?.()
  }
}

interface Served {
  readonly socket: FakeSocket
  readonly clock: HandClock
  readonly asked: string[]
  /** Answers what waits for a long list. */
  readonly later: (() => void)[]
}

/** `answerMs`: how long each answer takes. */
function serve(answerBytes = 50, answerMs = 0): Served {
  const clock = new HandClock()
  const socket = new FakeSocket()
  const asked: string[] = []
  const later: (() => void)[] = []
  const answer = (message: Buffer): Buffer | undefined | Promise<Buffer> => {
    const text = message.toString()
    asked.push(text)
    if (answerMs > 0) clock.advance(answerMs)
    if (text === 'later') return new Promise((resolve) => later.push(() => resolve(Buffer.alloc(7))))
    return text === 'silence' ? undefined : Buffer.alloc(answerBytes)
  }
  serveStream(socket as unknown as Socket, { dns: { answer }, clock, asked: () => undefined }, BOUNDS)
  return { socket, clock, asked, later }
}

/** Streams hand on what they have between turns of the event loop. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function pass(clock: HandClock, ms = 0): Promise<void> {
  await turns()
  for (let turn = 0; turn < 5; turn++) {
    clock.advance()
    await turns()
  }
  clock.advance(ms)
  await turns()
}

const query = (text = 'q'): Buffer => framed(Buffer.from(text))

describe('a connection', () => {
  it('answers whole queries, those that need no answer apart', async () => {
    const { socket, clock, asked } = serve()
    const bytes = Buffer.concat([query('one'), query('silence'), query('two')])
    for (const byte of bytes) socket.push(Buffer.from([byte]))
    await pass(clock)
    expect([asked, socket.taken]).toEqual([
      ['one', 'silence', 'two'],
      [52, 52],
    ])
  })

  it('that stands still ends, within a query as well as between two', async () => {
    for (const last of [query(), query().subarray(0, 2), Buffer.alloc(0)]) {
      const { socket, clock } = serve()
      socket.push(query())
      await pass(clock, 900)
      if (last.length > 0) socket.push(last)
      await pass(clock, 200)
      // A piece of a query is no sign of life: those who send one byte a second would stay.
      expect([last.length, socket.destroyed]).toEqual([last.length, last.length !== 3])
      await pass(clock, 1_000)
      expect(socket.destroyed).toBe(true)
      expect(clock.timers).toEqual([])
    }
  })

  it('has its queries answered some at a time', async () => {
    const { socket, clock, asked } = serve(1)
    socket.push(Buffer.concat(Array.from({ length: 25 }, () => query())))
    await turns()
    expect(asked).toHaveLength(10)
    await pass(clock)
    expect(asked).toHaveLength(25)
  })

  it('has others served between answers that take long', async () => {
    const { socket, clock, asked } = serve(1, 1)
    socket.push(Buffer.concat(Array.from({ length: 5 }, () => query())))
    await turns()
    expect(asked).toHaveLength(2)
    await pass(clock)
    expect(asked).toHaveLength(5)
  })

  it('gets answers that take a while in its turn, and ends meanwhile if it wants to', async () => {
    const { socket, clock, asked, later } = serve()
    socket.push(Buffer.concat([query('one'), query('later'), query('two'), query('later')]))
    await pass(clock)
    expect([asked, socket.taken]).toEqual([['one', 'later'], [52]])
    socket.push(query('three'))
    socket.push(null)
    await pass(clock)
    later.shift()?.()
    await pass(clock)
    expect([asked.length, socket.taken, socket.writableFinished]).toEqual([4, [52, 9, 52], false])
    later.shift()?.()
    await pass(clock)
    expect([asked.length, socket.taken, socket.writableFinished]).toEqual([5, [52, 9, 52, 9, 52], true])
    const gone = serve()
    gone.socket.push(query('later'))
    await pass(gone.clock)
    gone.socket.destroy()
    gone.later.shift()?.()
    await pass(gone.clock)
    expect([gone.socket.taken, gone.clock.timers]).toEqual([[], []])
  })

  it('that is not read is not answered any more, and ends; once it is read it goes on', async () => {
    for (const reads of [true, false]) {
      const { socket, clock, asked } = serve(400)
      socket.reads = false
      socket.push(Buffer.concat(Array.from({ length: 20 }, () => query())))
      await pass(clock)
      expect([asked.length, socket.writableLength]).toEqual([3, 1_206])
      await pass(clock, 900)
      socket.reads = reads
      if (reads) for (let n = 0; n < 20; n++) socket.read1()
      await pass(clock, 200)
      expect([asked.length, socket.destroyed]).toEqual(reads ? [20, false] : [3, true])
    }
  })

  it('whose client has just read a long answer has its time anew', async () => {
    const { socket, clock } = serve(600)
    socket.reads = false
    socket.push(query())
    await pass(clock, 900)
    socket.read1()
    await pass(clock, 200)
    expect(socket.destroyed).toBe(false)
    await pass(clock, 1_000)
    expect(socket.destroyed).toBe(true)
  })

  it('ends with a query that is too long, and when its client has asked its last', async () => {
    const long = serve()
    long.socket.push(Buffer.concat([query(), Buffer.from([0, 101])]))
    await pass(long.clock)
    expect([long.asked.length, long.socket.destroyed]).toEqual([1, true])
    const last = serve()
    last.socket.push(Buffer.concat(Array.from({ length: 25 }, () => query())))
    last.socket.push(null)
    await pass(last.clock)
    expect([last.asked.length, last.socket.writableFinished]).toEqual([25, true])
  })
})
