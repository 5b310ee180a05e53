// Idle instances by the ten thousand: `crowd-child.mjs JSON`, see crowd.ts. Sessions on bare sockets that only ping, and batches
// that beat over HTTP. None is probed: like providers that answered their first probe.
import { Agent, request } from 'node:http'
import { WebSocket } from 'ws'

const BATCH = 100
const AT_A_TIME = 16
const PING_MS = 3_000

const { ports, balancer, sessions, perSession, beats, beatMs, leaseMs, services } = JSON.parse(
  process.argv[2],
)
const told = { closed: 0, unknown: 0, failed: 0, beats: 0 }

const instanceOf = (number, lease) => ({
  service: `service-${String(number % services).padStart(4, '0')}`,
  id: `instance-${String(number).padStart(8, '0')}`,
  host: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
  port: 8_080,
  zone: `zone-${number % 3}`,
  metadata: { version: '1.4.2', commit: String(number).padStart(8, '0') },
  probe: { type: 'none' },
  ...lease,
})

async function inParallel(count, work) {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
}

function hold(index) {
  const first = index * perSession
  const instances = Array.from({ length: perSession }, (_, at) => ({
    ...instanceOf(first + at),
    incarnation: 1_700_000_000_000 + first + at,
    rev: 1,
  }))
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${ports[index % ports.length]}/api/v1/stream`, 'rollcall.v1')
    ws.once('error', reject)
    ws.once('open', () => ws.send(JSON.stringify({ type: 'hello', client: 'integration test', req: 1 })))
    ws.on('message', (/** @type {Buffer} */ data) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'welcome') ws.send(JSON.stringify({ type: 'register', instances, req: 2 }))
      if (message.type !== 'registered') return
      if (message.results.every(({ ok }) => ok)) resolve()
      else reject(new Error(JSON.stringify(message).slice(0, 500)))
    })
    ws.once('close', () => {
      told.closed += 1
    })
    setInterval(() => ws.send('{"type":"ping"}'), PING_MS)
  })
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME })

function post(path, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const outgoing = request(`${balancer}/api/v1/${path}`, { method: 'POST', headers, agent }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part) => (text += part))
      answer.once('error', reject)
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(`${answer.statusCode} ${text.slice(0, 500)}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}

async function beat(index) {
  const first = sessions * perSession + index * BATCH
  const instances = Array.from({ length: BATCH }, (_, at) => instanceOf(first + at, { leaseMs }))
  const { results } = await post('register', { instances })
  if (!results.every(({ ok }) => ok)) throw new Error(JSON.stringify(results).slice(0, 500))
  const refs = instances.map(({ service, id }) => ({ service, id }))
  const tell = async () => {
    try {
      const { unknown } = await post('heartbeat', { instances: refs })
      told.beats += refs.length
      told.unknown += unknown.length
    } catch {
      told.failed += 1
    }
  }
  setInterval(() => void tell(), beatMs)
}

await inParallel(sessions, hold)
await inParallel(beats / BATCH, beat)
process.on('message', () => process.send(told))
process.send({ ready: '' })
