/** What tests say as clients of Eureka, and the real client of npm. */
import { createRequire } from 'node:module'
import { join } from 'node:path'

export interface EurekaInstance {
  readonly instanceId: string
  readonly status: string
  readonly hostName: string
  readonly port: { readonly $: number }
  readonly metadata: Readonly<Record<string, string>>
}

/** A registration of ORDERS. */
export function instanceOf(id: string, more: object = {}): object {
  return {
    instance: {
      instanceId: id,
      app: 'ORDERS',
      hostName: '127.0.0.1',
      ipAddr: '127.0.0.1',
      port: { $: 3_000, '@enabled': true },
      vipAddress: 'orders',
      dataCenterInfo: {
        '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
        name: 'MyOwn',
      },
      status: 'UP',
      metadata: { version: '1.4.2' },
      ...more,
    },
  }
}

/** Resolves to the status of the answer. */
export async function registerAt(base: string, id: string, more: object = {}): Promise<number> {
  const { status } = await fetch(`${base}/apps/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(instanceOf(id, more)),
  })
  return status
}

/** The instances of an application; none where it is not known. */
export async function foundAt(base: string, app = 'ORDERS'): Promise<readonly EurekaInstance[]> {
  const answer = await fetch(`${base}/apps/${app}`, { headers: { accept: 'application/json' } })
  if (answer.status === 404) return []
  return ((await answer.json()) as { application: { instance: EurekaInstance[] } }).application.instance
}

export interface JsClient {
  start(done: (error?: Error) => void): void
  stop(done: () => void): void
  fetchRegistry(done: (error?: Error) => void): void
  getInstancesByAppId(app: string): readonly EurekaInstance[]
  getInstancesByVipAddress(vip: string): readonly EurekaInstance[]
}

/** A client of the package in a folder; `eureka` are its settings. */
export function createJsClient(folder: string, instance: object, eureka: object): JsClient {
  const { Eureka } = createRequire(join(folder, 'package.json'))('eureka-js-client') as {
    Eureka: new (settings: object) => JsClient
  }
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  return new Eureka({ ...instance, eureka, logger })
}

export function startClient(client: JsClient): Promise<void> {
  return new Promise((resolve, reject) =>
    client.start((error) => (error === undefined || error === null ? resolve() : reject(error))),
  )
}

export function stopClient(client: JsClient): Promise<void> {
  return new Promise((resolve) => client.stop(resolve))
}
