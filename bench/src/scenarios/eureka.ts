/** Scenario `eureka`: what clients of Eureka ask for, with 1,000 applications. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Measure } from '../measure.js'
import { inParallel } from '../programs/raw-stream.js'
import type { Scenario, Stage } from '../scenario.js'
import { turnsOf } from './eureka-turns.js'
import { contend, FOREIGN_BASELINE, type ForeignNode } from './foreign.js'
import { freePort } from './ports.js'
import { answerOf } from './requests.js'

const APPLICATIONS = 1_000
const CHANGED = 10
/** How long a change is told in a delta, and a little: three minutes, as by Eureka's own server. */
const DELTA_MS = 181_000
const JSON_WANTED = 'Accept: application/json'

const nameOf = (index: number): string => `APP-${String(index).padStart(3, '0')}`
const idOf = (app: string): string => `10.1.2.3:${app.toLowerCase()}:8080`

/** A registration as Spring Cloud's client sends it; what a run of `#` stands for is told by the caller. */
function instanceOf(app: string, id: string): object {
  return {
    instance: {
      instanceId: id,
      app,
      ipAddr: '10.1.2.3',
      sid: 'na',
      homePageUrl: 'http://10.1.2.3:8080/',
      statusPageUrl: 'http://10.1.2.3:8080/actuator/info',
      healthCheckUrl: 'http://10.1.2.3:8080/actuator/health',
      vipAddress: app.toLowerCase(),
      secureVipAddress: app.toLowerCase(),
      countryId: 1,
      dataCenterInfo: {
        '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
        name: 'MyOwn',
      },
      hostName: '10.1.2.3',
      status: 'UP',
      overriddenStatus: 'UNKNOWN',
      leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 3_600 },
      isCoordinatingDiscoveryServer: false,
      lastUpdatedTimestamp: 1_700_000_000_000,
      lastDirtyTimestamp: 1_700_000_000_000,
      port: { $: 8_080, '@enabled': 'true' },
      securePort: { $: 443, '@enabled': 'false' },
      metadata: { version: '1.4.2', 'management.port': '8080' },
    },
  }
}

async function nodeWithEureka(stage: Stage): Promise<ForeignNode> {
  const port = await freePort()
  return { server: await stage.server({ args: ['--eureka', `127.0.0.1:${port}`] }), port }
}

async function fill({ port }: ForeignNode): Promise<void> {
  await inParallel(APPLICATIONS, 16, (index) =>
    answerOf(port, `/eureka/apps/${nameOf(index)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(instanceOf(nameOf(index), idOf(nameOf(index)))),
    }),
  )
}

/** What a list holds; the node must have all of it before a list is measured. */
async function listed({ port }: ForeignNode, path: string): Promise<number> {
  const { body } = await answerOf(port, path, { headers: { accept: 'application/json' } })
  const { applications } = JSON.parse(Buffer.from(body).toString()) as {
    readonly applications: { readonly application: readonly unknown[] }
  }
  return applications.application.length
}

async function expectListed(node: ForeignNode, path: string, count: number): Promise<void> {
  const found = await listed(node, path)
  if (found !== count) throw new Error(`${path} has ${found} applications instead of ${count}`)
}

/** One kind of request after the other. */
export const eureka: Scenario = {
  name: 'eureka',
  about: 'what clients of Eureka ask for, of a node with 1,000 applications of one instance each',
  baseline: FOREIGN_BASELINE,
  async run(stage) {
    const measures: Measure[] = []
    const measure = async (
      node: ForeignNode,
      name: string,
      template: Parameters<typeof contend>[2]['template'],
    ) => {
      measures.push(...(await contend(stage, node, { name, template })))
    }
    const node = await nodeWithEureka(stage)
    await fill(node)
    const filledAt = performance.now()
    await expectListed(node, '/eureka/apps', APPLICATIONS)

    const empty = await nodeWithEureka(stage)
    const body = instanceOf('APP-##', '10.1.2.3:app:########')
    await measure(empty, 'register', { method: 'POST', path: '/eureka/apps/APP-##', body })
    await empty.server.kill()
    const renewal = '/eureka/apps/APP-###/10.1.2.3:app-###:8080?status=UP&lastDirtyTimestamp=1700000000000'
    await measure(node, 'renew', { method: 'PUT', path: renewal, headers: [JSON_WANTED] })
    const full = { method: 'GET', path: '/eureka/apps/' } as const
    await measure(node, 'full fetch', { ...full, headers: [JSON_WANTED] })
    await measure(node, 'full fetch, gzip', { ...full, headers: [JSON_WANTED, 'Accept-Encoding: gzip'] })

    await sleep(Math.max(0, filledAt + DELTA_MS - performance.now()))
    await expectListed(node, '/eureka/apps/delta', 0)
    for (let index = 0; index < CHANGED; index++) {
      const path = `/eureka/apps/${nameOf(index)}/${idOf(nameOf(index))}/metadata?version=1.4.3`
      await answerOf(node.port, path, { method: 'PUT' })
    }
    await expectListed(node, '/eureka/apps/delta', CHANGED)
    const delta = { method: 'GET', path: '/eureka/apps/delta' } as const
    await measure(node, `delta of ${CHANGED}`, { ...delta, headers: [JSON_WANTED] })
    await measure(node, `delta of ${CHANGED}, gzip`, {
      ...delta,
      headers: [JSON_WANTED, 'Accept-Encoding: gzip'],
    })
    await expectListed(node, '/eureka/apps', APPLICATIONS)
    await node.server.kill()
    measures.push(...(await turnsOf(stage, await nodeWithEureka(stage))))
    return {
      measures,
      rounds: stage.options.long ? 9 : 3,
      notes: [
        'Instances have the documents that Spring Cloud registers. Nothing changes while lists are fetched: each is written once and sent often, as by a node whose applications rest. A delta is measured when the three minutes are over in which the 1,000 registrations are told. The worst turn is the longest answer to `GET /livez`, asked again 5 ms after each answer: a list of 100,000 instances has some 100 MB.',
      ],
    }
  },
}
