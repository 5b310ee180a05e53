/** A connection that does not read is bounded, told of, and given up in the end. */
import { Writable } from 'node:stream'
import { beforeEach, describe, expect, it } from 'vitest'
import { Budget } from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { createOutlet, type Outlet } from './outlet.js'
import { Unsent } from './unsent.js'

/** A connection whose peer reads when told to. */
class Peer extends Writable {
  readonly received: Buffer[] = []
  private release: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 100 })
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.release = () => {
      this.received.push(chunk)
      done()
    }
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.release = () => {
      this.received.push(...chunks.map(({ chunk }) => chunk))
      done()
    }
  }

  /** Reads everything there is. */
  async read(): Promise<void> {
    while (this.release !== undefined) {
      const { release } = this
      this.release = undefined
      release()
      await Promise.resolve()
      await new Promise<void>((resolve) => process.nextTick(resolve))
    }
  }
}

let clock: HandClock
let peer: Peer
let told: string[]
let account: Budget
let outlet: Outlet
beforeEach(() => {
  clock = new HandClock()
  peer = new Peer()
  told = []
  const note = (what: string) => (): void => void told.push(what)
  const listener = { stalled: note('stalled'), drained: note('drained'), expired: note('expired') }
  account = new Budget({}, { quota: 'unsentBytesMax', max: 100_000, what: 'bytes' })
  const options = { bufferBytesMax: 1_000, stalledMsMax: 60_000 }
  outlet = createOutlet(peer, clock, options, { unsent: new Unsent(account), peer: '10.0.0.1' }, listener)
})

const unit = (bytes: number): Buffer => Buffer.alloc(bytes, 'x')

describe('an outlet', () => {
  it('says once that it is full, and once that it is empty again', async () => {
    for (let index = 0; index < 10; index++) outlet.write(unit(100))
    expect(told).toEqual([])
    outlet.write(unit(1))
    outlet.write(unit(500))
    expect([told, outlet.stalled, outlet.bytes]).toEqual([['stalled'], true, 1_501])
    await peer.read()
    expect([told, outlet.stalled, outlet.bytes]).toEqual([['stalled', 'drained'], false, 0])
    clock.advance(100_000)
    expect(told).toEqual(['stalled', 'drained'])
  })

  it('gives up after being full for too long', () => {
    outlet.write(unit(2_000))
    clock.advance(59_999)
    expect(told).toEqual(['stalled'])
    clock.advance(1)
    expect(told).toEqual(['stalled', 'expired'])
  })

  it('counts what its connection holds, from the high-water mark on, until it was sent', async () => {
    outlet.write(unit(99))
    expect(account.used).toBe(0)
    const shared = unit(300)
    outlet.write(shared)
    outlet.writeAll([unit(40), shared])
    expect([account.used, outlet.bytes]).toEqual([340, 739])
    await peer.read()
    expect(account.used).toBe(0)
    outlet.write(unit(5_000))
    outlet.write(unit(6_000))
    expect(account.used).toBe(11_000)
    outlet.close()
    expect(account.used).toBe(0)
  })

  it('is stalled by less where its peer may hold no more', () => {
    account.add('10.0.0.1', 95_000)
    outlet.write(unit(90))
    expect(told).toEqual([])
    outlet.write(unit(90))
    expect(told).toEqual(['stalled'])
  })

  it('keeps pairs together and tells when a unit was handed on', async () => {
    let sent = 0
    outlet.writeAll([Buffer.from('a'), Buffer.from('b')])
    outlet.write(Buffer.from('c'), () => void sent++)
    expect(sent).toBe(0)
    await peer.read()
    expect([Buffer.concat(peer.received).toString(), sent]).toEqual(['abc', 1])
  })

  it('is silent once closed, and writes nothing to a connection that is gone', async () => {
    outlet.write(unit(2_000))
    outlet.close()
    outlet.close()
    clock.advance(100_000)
    await peer.read()
    peer.destroy()
    outlet.write(unit(10))
    outlet.writeAll([unit(10), unit(10)])
    expect([told, outlet.bytes]).toEqual([['stalled'], 0])
  })
})
