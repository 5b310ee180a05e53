/** An instance of ORDERS that speaks Eureka, by eureka-js-client as npm has it. */
import { createRequire } from 'node:module'
import { say } from './messages.js'
import { found, onLeave, serveInstance } from './speaker.js'

/** What is used of eureka-js-client, which has no types. */
interface EurekaClient {
  start(callback: (error?: Error) => void): void
  stop(callback: (error?: Error) => void): void
  on(event: 'registered' | 'registryUpdated', listener: () => void): void
  getInstancesByAppId(
    app: string,
  ): readonly { readonly ipAddr: string; readonly port: { readonly $: number } }[]
}

const [, , manifest = '', eurekaPort = '8761'] = process.argv
const { Eureka } = createRequire(manifest)('eureka-js-client') as {
  readonly Eureka: new (config: object) => EurekaClient
}
const silent = { debug() {}, info() {}, warn() {}, error: (...words: unknown[]) => console.error(...words) }

const port = await serveInstance()
const client = new Eureka({
  logger: silent,
  instance: {
    app: 'ORDERS',
    instanceId: `127.0.0.1:orders:${port}`,
    hostName: '127.0.0.1',
    ipAddr: '127.0.0.1',
    port: { $: port, '@enabled': true },
    vipAddress: 'orders',
    dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
    leaseInfo: { renewalIntervalInSecs: 1, durationInSecs: 3 },
  },
  eureka: {
    host: '127.0.0.1',
    port: Number(eurekaPort),
    servicePath: '/eureka/apps/',
    heartbeatInterval: 1_000,
    registryFetchInterval: 1_000,
    maxRetries: 1,
  },
})
// Its own filter leaves what is not UP out of a list; an application of which nothing is UP is an empty one.
client.on('registryUpdated', () =>
  found(client.getInstancesByAppId('ORDERS').map(({ ipAddr, port: { $ } }) => ({ host: ipAddr, port: $ }))),
)
onLeave(() => new Promise((resolve) => client.stop(resolve)))
client.on('registered', () => say({ kind: 'registered', at: Date.now(), port }))
client.start((error) => {
  if (error) throw error
})
