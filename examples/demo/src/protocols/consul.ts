/** An instance of orders that speaks Consul, by the client `consul` as npm has it: an HTTP check, and a watch by blocking queries. */
import { createRequire } from 'node:module'
import { say } from './messages.js'
import { found, onLeave, serveInstance } from './speaker.js'

interface HealthEntry {
  readonly Node: { readonly Address: string }
  readonly Service: { readonly Address: string; readonly Port: number }
}

/** What is used of the client here. */
interface ConsulClient {
  readonly agent: {
    readonly service: {
      register(options: object): Promise<void>
      deregister(id: string): Promise<void>
    }
  }
  readonly health: { readonly service: unknown }
  watch(options: { readonly method: unknown; readonly options: object }): {
    on(event: 'change', listener: (entries: readonly HealthEntry[]) => void): void
    on(event: 'error', listener: (error: Error) => void): void
    end(): void
  }
}

const [, , manifest = '', consulPort = '8500'] = process.argv
const Consul = createRequire(manifest)('consul') as new (options: object) => ConsulClient

const port = await serveInstance()
const client = new Consul({ host: '127.0.0.1', port: Number(consulPort) })
const id = `orders-${port}`
await client.agent.service.register({
  name: 'orders',
  id,
  address: '127.0.0.1',
  port,
  tags: ['demo'],
  check: { http: `http://127.0.0.1:${port}/`, interval: '1s', timeout: '1s', status: 'passing' },
})
say({ kind: 'registered', at: Date.now(), port })
const watch = client.watch({
  method: client.health.service,
  options: { service: 'orders', passing: true, wait: '10s' },
})
watch.on('change', (entries) =>
  found(entries.map(({ Node, Service }) => ({ host: Service.Address || Node.Address, port: Service.Port }))),
)
watch.on('error', (error) => console.error(error.message))
onLeave(async () => {
  watch.end()
  await client.agent.service.deregister(id)
})
