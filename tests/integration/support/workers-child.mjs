/** A program of three workers behind one port, each registered by `serve()` or by `register()`. */
import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { connect } from '@rollcall/client'
import { serve } from '@rollcall/integrations/express'

const [registry, way, service, port] = process.argv.slice(2)
const WORKERS = 3

if (cluster.isPrimary) {
  const workers = Array.from({ length: WORKERS }, () => cluster.fork())
  const registered = new Set()
  cluster.on('message', (worker) => {
    registered.add(worker)
    if (registered.size === WORKERS) process.send({ ready: 'workers' })
  })
  process.on('message', ({ pid, signal }) => {
    const worker = workers.find((each) => each.process.pid === pid)
    worker.once('exit', () => process.send({ ended: pid }))
    worker.process.kill(signal)
  })
} else {
  const client = { registries: [registry], snapshotDir: false }
  const answer = (_request, response) => response.end(String(process.pid))
  const options = { service, host: '127.0.0.1', metadata: { pid: String(process.pid) } }
  if (way === 'serve') {
    const listen = { host: '127.0.0.1', port: Number(port) }
    const served = await serve(answer, { client, ...options, listen, settleMs: 300, signals: ['SIGTERM'] })
    const registration = await served.registered
    process.send(registration.state)
    served.server.once('close', () => setTimeout(() => process.exit(), 100))
  } else {
    const server = createServer(answer).listen(Number(port), '127.0.0.1')
    await once(server, 'listening')
    const rollcall = await connect(client)
    const registration = await rollcall.register({ ...options, port: Number(port) })
    process.send(registration.state)
    process.once('SIGTERM', () => void rollcall.close().then(() => process.exit()))
  }
}
