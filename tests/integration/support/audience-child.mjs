// Subscribers on bare sockets: `audience-child.mjs JSON`. Notes how long after it was made each change came, by the wall clock that
// the maker put into its metadata; all processes share one machine. Answers any message with what it noted.
import { WebSocket } from 'ws'

const { ports, subscribers, services, watched } = JSON.parse(process.argv[2])
const PING_MS = 3_000
let samples = []
let messages = 0

function subscribe(index) {
  const names = Array.from({ length: watched }, (_, at) => `service-${(index * watched + at) % services}`)
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${ports[index % ports.length]}/api/v1/stream`, 'rollcall.v1')
    ws.once('error', reject)
    ws.once('open', () => ws.send(JSON.stringify({ type: 'hello', client: 'integration test', req: 1 })))
    let views = 0
    ws.on('message', (/** @type {Buffer} */ data) => {
      const now = Date.now()
      const message = JSON.parse(data.toString())
      if (message.type === 'welcome') {
        const wanted = names.map((service) => ({ service }))
        ws.send(JSON.stringify({ type: 'watch', services: wanted, req: 2 }))
      }
      if (message.type === 'view' && ++views === names.length) resolve()
      if (message.type !== 'delta') return
      messages += 1
      for (const { metadata } of message.upserts)
        if (metadata.at !== undefined) samples.push(now - Number(metadata.at))
    })
    setInterval(() => ws.send('{"type":"ping"}'), PING_MS)
  })
}

for (let index = 0; index < subscribers; index += 10)
  await Promise.all(
    Array.from({ length: Math.min(10, subscribers - index) }, (_, at) => subscribe(index + at)),
  )
process.on('message', () => {
  process.send({ samples, messages })
  samples = []
  messages = 0
})
process.send({ ready: '' })
