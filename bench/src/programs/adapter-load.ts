/** Clients of other registries that ask a node all the time, at a rate of their own: what its native clients have beside them. */
import { createSocket } from 'node:dgram'
import { Agent, request } from 'node:http'
import { serveProgram } from '../program.js'

/** Requests of each kind in a second. */
const RATES = { eurekaFull: 0.5, eurekaDelta: 5, renewal: 50, lookup: 50, query: 200 } as const
/** Requests that wait for a change all the while. */
const BLOCKED = 20
/** Requests of a kind that may be under way; a tick that finds so many is left out. */
const UNDER_WAY_MAX = 4

interface Ports {
  readonly eureka: number
  readonly consul: number
  readonly dns: number
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
let answered = 0

interface Asked {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a request and reads its answer to the end; resolves to the index that Consul tells, if it does. */
function ask(
  port: number,
  path: string,
  { method = 'GET', body, headers = {} }: Asked = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, method, agent, headers }, (response) => {
      const { 'x-consul-index': index } = response.headers
      response.resume().once('end', () => {
        answered++
        resolve(typeof index === 'string' ? index : '0')
      })
      response.once('error', reject)
    })
      .once('error', reject)
      .end(body)
  })
}

/** Calls so often in a second, but not while too many are under way. */
function often(rate: number, work: () => Promise<unknown>): void {
  let underWay = 0
  setInterval(() => {
    if (underWay >= UNDER_WAY_MAX) return
    underWay++
    work().then(
      () => underWay--,
      () => underWay--,
    )
  }, 1_000 / rate)
}

async function follow(port: number, path: string): Promise<void> {
  for (let index = '0'; ;) index = await ask(port, `${path}?index=${index}&wait=30s`)
}

/** A query for the addresses of `spoken`. */
const QUERY = Buffer.from('000101000001000000000000', 'hex')

function startQueries(port: number): void {
  const labels = ['spoken', 'service', 'rollcall'].flatMap((label) => [label.length, ...Buffer.from(label)])
  const query = Buffer.concat([QUERY, Buffer.from([...labels, 0, 0, 1, 0, 1])])
  const socket = createSocket('udp4')
  socket.on('message', () => answered++)
  setInterval(() => socket.send(query, port, '127.0.0.1'), 1_000 / RATES.query)
}

/** Registers an instance by each protocol, and asks from then on. */
async function start({ eureka, consul, dns }: Ports): Promise<void> {
  const json = { 'content-type': 'application/json' }
  const instance = {
    instanceId: 'spoken-1',
    app: 'SPOKEN',
    hostName: '10.1.2.3',
    ipAddr: '10.1.2.3',
    port: { $: 8_080, '@enabled': 'true' },
    vipAddress: 'spoken',
    status: 'UP',
    dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
  }
  await ask(eureka, '/eureka/apps/SPOKEN', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ instance }),
  })
  const definition = { Name: 'spoken', ID: 'spoken-2', Address: '10.1.2.4', Port: 8_080 }
  await ask(consul, '/v1/agent/service/register', { method: 'PUT', body: JSON.stringify(definition) })
  const fetched = { headers: { accept: 'application/json', 'accept-encoding': 'gzip' } }
  await ask(eureka, '/eureka/apps', fetched)
  often(RATES.eurekaFull, () => ask(eureka, '/eureka/apps', fetched))
  often(RATES.eurekaDelta, () => ask(eureka, '/eureka/apps/delta', fetched))
  often(RATES.renewal, () => ask(eureka, '/eureka/apps/SPOKEN/spoken-1', { method: 'PUT' }))
  often(RATES.lookup, () => ask(consul, '/v1/health/service/spoken?passing=1'))
  for (let each = 0; each < BLOCKED; each++) void follow(consul, '/v1/health/service/spoken')
  startQueries(dns)
}

/** What this program can do. */
export type AdapterLoad = { readonly start: typeof start; readonly answered: () => number }
serveProgram({ start, answered: () => answered } satisfies AdapterLoad)
