/** A client that means no harm: it registers, beats, is found and deregisters again and again, beside a fleet that stays. */
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InstanceSpec, RegisterResponse, View } from '@rollcall/wire'
import { serveProgram } from '../program.js'
import { RawStream } from './raw-stream.js'

/** Half of them beat, half are held by a session. */
const FLEET = 20
/** Short, so that a client that is kept from the node is missed during a flood. */
const LEASE_MS = 5_000
const BEAT_MS = 1_500
const GAP_MS = 50
const CALL_MS_MAX = 60_000

/** How the living fared. */
export interface Fared {
  /** Services that registered, were heard, were found and left. */
  readonly cycles: number
  /** New ones that were refused, by quota. */
  readonly refused: Readonly<Record<string, number>>
  /** Calls that failed otherwise, in words. */
  readonly failed: readonly string[]
  /** How often one of the fleet was not listed as up. */
  readonly missed: number
  /** The longest that one call took. */
  readonly slowestMs: number
}

let port = 0
let own = 0
let stopped = false
let loops: Promise<unknown> = Promise.resolve()
const agent = new Agent({ keepAlive: true })
const fared = {
  cycles: 0,
  refused: {} as Record<string, number>,
  failed: [] as string[],
  missed: 0,
  slowestMs: 0,
}

async function call(method: string, path: string, json?: object): Promise<{ status: number; text: string }> {
  const began = performance.now()
  const headers = json === undefined ? {} : { 'content-type': 'application/json' }
  const options = { port, host: '127.0.0.1', method, path: `/api/v1/${path}`, agent, headers }
  const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const signal = AbortSignal.timeout(CALL_MS_MAX)
    request({ ...options, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
      .once('error', reject)
      .end(json === undefined ? undefined : JSON.stringify(json))
  })
  fared.slowestMs = Math.max(fared.slowestMs, performance.now() - began)
  return answer
}

/** A call that must succeed, for every item. */
async function must(method: string, path: string, json?: object): Promise<string> {
  const { status, text } = await call(method, path, json)
  if (status !== 200 || /"error":|"(unknown|deregistered|superseded)":\[\{/.test(text))
    throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`)
  return text
}

const spec = (service: string, id: string): InstanceSpec => ({
  service,
  id,
  host: '127.0.0.1',
  port: own,
  leaseMs: LEASE_MS,
})

async function cycle(id: string): Promise<void> {
  const ref = { service: 'payments', id }
  const { status, text } = await call('POST', 'register', { instances: [spec('payments', id)] })
  const quota = /"quota":"(\w+)"/.exec(text)?.[1]
  if (quota !== undefined) {
    fared.refused[quota] = (fared.refused[quota] ?? 0) + 1
    return
  }
  if (status !== 200 || !(JSON.parse(text) as RegisterResponse).results.every(({ ok }) => ok))
    throw new Error(`register: ${status} ${text.slice(0, 300)}`)
  await must('POST', 'heartbeat', { instances: [ref] })
  if (!(await must('GET', 'services/payments')).includes(`"id":"${id}"`))
    throw new Error(`${id} is not found`)
  await must('POST', 'deregister', { instances: [ref] })
  fared.cycles++
}

async function look(): Promise<void> {
  const { instances } = JSON.parse(await must('GET', 'services/fleet')) as View
  fared.missed += FLEET - instances.filter(({ state }) => state === 'up').length
}

/** Does something again and again until the end; what fails is noted. */
async function again(gapMs: number, work: (round: number) => Promise<unknown>): Promise<void> {
  for (let round = 0; !stopped; round++) {
    await work(round).catch((error: unknown) => fared.failed.push(String(error)))
    await sleep(gapMs)
  }
}

/** Brings the fleet up, and begins. */
async function live(argument: { readonly port: number }): Promise<void> {
  ;({ port } = argument)
  const server = createServer((socket) => socket.on('error', () => {}).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  own = (server.address() as AddressInfo).port
  const ids = Array.from({ length: FLEET / 2 }, (_, each) => each)
  const beating = ids.map((each) => ({ service: 'fleet', id: `beats-${each}` }))
  await must('POST', 'register', { instances: beating.map(({ service, id }) => spec(service, id)) })
  const session = await RawStream.open(port, { deflate: false })
  session.send({ type: 'register', instances: ids.map((each) => spec('fleet', `held-${each}`)) })
  const { results } = await session.expect('registered')
  if (!results.every(({ ok }) => ok)) throw new Error(`no fleet: ${JSON.stringify(results)}`)
  const ping = async (): Promise<void> => {
    session.send({ type: 'ping' })
    await session.expect('pong')
  }
  loops = Promise.all([
    again(BEAT_MS, () => must('POST', 'heartbeat', { instances: beating })),
    again(BEAT_MS, ping),
    again(GAP_MS, (round) => cycle(`p-${round}`).then(look)),
  ])
}

/** Stops, and says how it fared. */
async function end(): Promise<Fared> {
  stopped = true
  await loops
  return fared
}

/** What this program can do. */
export type Living = { readonly live: typeof live; readonly end: typeof end }
serveProgram({ live, end } satisfies Living)
