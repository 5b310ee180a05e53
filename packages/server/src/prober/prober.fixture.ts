/** A prober over sockets in memory, for its tests. */
import { Duplex } from 'node:stream'
import { NO_LOGGER, NO_METER } from '@rollcall/core'
import type { ProbeOutcome, ProbeRequest } from '@rollcall/core'
import { createSystemClock } from '../clock.js'
import { createProber } from './prober.js'
import type { Prober, ProberDeps, ProberOptions } from './prober.js'
import type { ProbeTarget } from './socket.js'

/** A socket that receives nothing and keeps what is written. */
export class FakeSocket extends Duplex {
  readonly target: ProbeTarget
  written = ''
  localPort: number | undefined
  localAddress: string | undefined
  remotePort: number | undefined
  remoteAddress: string | undefined

  constructor(target: ProbeTarget) {
    super()
    this.target = target
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.written += chunk.toString()
    callback()
  }

  fail(code: string): void {
    this.emit('error', Object.assign(new Error(code), { code }))
  }
}

export interface SetUp {
  readonly prober: Prober
  /** Every socket asked for, in order. */
  readonly sockets: FakeSocket[]
  /** Ids and outcomes, in the order of the answers. */
  readonly outcomes: [string, ProbeOutcome][]
  /** Asks 10.0.0.5 on its own behalf, unless told otherwise. */
  readonly probe: (change?: Partial<ProbeRequest> & { readonly id?: string }) => void
}

/** A prober over fake sockets and the system clock, which tests replace by fake timers. */
export function setUp(options: ProberOptions = {}, deps: Partial<ProberDeps> = {}): SetUp {
  const sockets: FakeSocket[] = []
  const outcomes: [string, ProbeOutcome][] = []
  const prober = createProber(
    {
      clock: createSystemClock(),
      random: { fraction: () => 0.5 },
      logger: NO_LOGGER,
      meter: NO_METER,
      connect(target) {
        const socket = new FakeSocket(target)
        sockets.push(socket)
        return socket
      },
      lookup() {
        throw new Error('no name to look up')
      },
      ...deps,
    },
    options,
  )
  function probe(change: Partial<ProbeRequest> & { readonly id?: string } = {}): void {
    const { id = 'a', ...rest } = change
    prober.probe(
      {
        key: { namespace: 'default', service: 'orders', group: 'default', id },
        incarnation: 1,
        host: '10.0.0.5',
        port: 3000,
        type: 'tcp',
        purpose: 'evidence',
        peer: '10.0.0.5',
        timeoutMs: 1_000,
        delayMs: 0,
        ...rest,
      },
      (outcome) => outcomes.push([id, outcome]),
    )
  }
  return { prober, probe, sockets, outcomes }
}
