/** A real prober, and what it may meet. Everything is taken down after each test. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { NO_LOGGER, NO_METER } from '@rollcall/core'
import type { ProbeOutcome, ProbeRequest } from '@rollcall/core'
import { afterEach } from 'vitest'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createConnect } from '../../packages/server/src/prober/connect.js'
import { createProber } from '../../packages/server/src/prober/prober.js'
import type { Prober, ProberOptions } from '../../packages/server/src/prober/prober.js'
import type { ProbeSocket } from '../../packages/server/src/prober/socket.js'
import { createSystemRandom } from '../../packages/server/src/random.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** Does this after the test, the last first. */
export function atEnd(step: () => unknown): void {
  cleanUp.push(step)
}

const file = (name: string): string =>
  readFileSync(new URL(`./fixtures/tls/${name}`, import.meta.url), 'utf8')

/** Of a server called `orders.example`, `localhost` and `127.0.0.1`. */
export const TLS: { readonly cert: string; readonly key: string } = {
  cert: file('instance.crt'),
  key: file('instance.key'),
}

export interface Answered {
  readonly outcome: ProbeOutcome
  readonly cause?: string | undefined
}

export interface SetUp {
  readonly prober: Prober
  /** Every socket that was ever opened. */
  readonly sockets: readonly ProbeSocket[]
  /** Asks this machine on behalf of itself. */
  readonly probe: (change: Partial<ProbeRequest>) => Promise<ProbeOutcome>
  /** The same, with the cause. */
  readonly explain: (change: Partial<ProbeRequest>) => Promise<Answered>
}

/** A prober; `authorities` vouch for certificates in place of those that Node trusts. */
export function setUp(options: ProberOptions = {}, authorities?: string): SetUp {
  const sockets: ProbeSocket[] = []
  const open = createConnect(authorities)
  const prober = createProber(
    {
      clock: createSystemClock(),
      random: createSystemRandom(),
      logger: NO_LOGGER,
      meter: NO_METER,
      connect(target) {
        const socket = open(target)
        sockets.push(socket)
        return socket
      },
    },
    options,
  )
  atEnd(() => prober.close())
  const explain = (change: Partial<ProbeRequest>): Promise<Answered> =>
    new Promise((resolve) => {
      const request: ProbeRequest = {
        key: { namespace: 'default', service: 'orders', group: 'default', id: 'a' },
        incarnation: 1,
        host: '127.0.0.1',
        port: 1,
        type: 'tcp',
        purpose: 'evidence',
        peer: '127.0.0.1',
        timeoutMs: 2_000,
        delayMs: 0,
        ...change,
      }
      prober.probe(request, (outcome, cause) => resolve({ outcome, cause }))
    })
  const probe = async (change: Partial<ProbeRequest>): Promise<ProbeOutcome> =>
    (await explain(change)).outcome
  return { prober, sockets, probe, explain }
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(server: Pick<Server, 'listen' | 'close' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A port of this machine on which no process listens (any more). */
export async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/**
 * The port of a process that was stopped while it listened: its kernel accepts connections until `backlog` of
 * them wait, and then swallows what comes.
 */
export async function stoppedProcess(backlog: number): Promise<number> {
  const script = `
    const server = require('node:net').createServer(() => {})
    server.listen({ port: 0, host: '127.0.0.1', backlog: ${backlog} }, () => process.stdout.write(server.address().port + '\\n'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => child.kill('SIGKILL'))
  const port = await new Promise<number>((resolve) =>
    child.stdout.once('data', (text: Buffer) => resolve(Number(text))),
  )
  child.kill('SIGSTOP')
  return port
}
