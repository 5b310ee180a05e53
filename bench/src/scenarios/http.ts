/** Single requests over HTTP: register, heartbeat, lookup. */
import type { ServerProcess } from '@rollcall/testkit'
import { measureOf, Series } from '../measure.js'
import type { HttpLoadProgram } from '../programs/http-load.js'
import type { Scenario } from '../scenario.js'
import { BASELINE, run, type Side, type Template } from './contest.js'
import { getJson, instancesOf, postJson } from './requests.js'

/** The address is not the caller's own, so that the node may not probe it; the extra measure shows what a probe costs. */
function registration(host: string, port: number, id: string): object {
  return {
    instances: [
      { service: 'orders-##', id, host, port, metadata: { version: '1.4.2', zone: 'a' }, leaseMs: 3_600_000 },
    ],
  }
}

const REGISTER = '/api/v1/register'

/** One new instance per request, acknowledged when it is on disk. */
export const register: Scenario = {
  name: 'register',
  about: 'one new instance per request over HTTP, acknowledged after the group commit',
  baseline: BASELINE,
  async run(stage) {
    const template: Template = {
      method: 'POST',
      path: REGISTER,
      body: registration('10.1.2.3', 8_080, 'orders-########'),
    }
    return run(stage, {
      template,
      async prepare(server) {
        const sample = JSON.parse(JSON.stringify(template.body).replaceAll('#', '7')) as object
        const body = await postJson(server.url, REGISTER, sample)
        if (!body.includes('"durability":"disk"')) throw new Error(`not on disk: ${body}`)
        return { body, headers: [] }
      },
      async check(server, requests) {
        // One more: the sample whose answer the baseline sends.
        const listed = await instancesOf(server.url)
        if (listed !== requests + 1)
          throw new Error(`${listed} instances after ${requests} registrations and one`)
      },
      async extra(contest, rollcall) {
        // Own series: the same request, from an instance at the caller's own address.
        const probed: Side = { ...rollcall, series: new Series(), next: 50_000_000 }
        const port = await stage.program<HttpLoadProgram>('http-load').call('listen')
        const own: Template = { ...template, body: registration('127.0.0.1', port, 'orders-########') }
        for (let round = 0; round < 3; round++) await contest.flood(probed, own)
        const before = rollcall.series.of('perCpuSecond').slice(0, 3)
        return [
          measureOf({
            name: 'requests per second of CPU time, each instance probed once (beside: not probed)',
            unit: '1/s',
            rollcall: probed.series.of('perCpuSecond'),
            baseline: before,
          }),
        ]
      },
    })
  },
}

const BEATING = 1_000

/** One beat per request. */
export const heartbeat: Scenario = {
  name: 'heartbeat',
  about: `one beat per request over HTTP, in turn for ${BEATING.toLocaleString('en')} instances`,
  baseline: BASELINE,
  run(stage) {
    const path = '/api/v1/heartbeat'
    const template: Template = {
      method: 'POST',
      path,
      body: { instances: [{ service: 'orders', id: 'orders-###' }] },
    }
    const nothing = '{"unknown":[],"deregistered":[],"superseded":[]}'
    const beat = async (server: ServerProcess): Promise<string> => {
      const instances = Array.from({ length: BEATING }, (_, index) => ({
        service: 'orders',
        id: `orders-${String(index).padStart(3, '0')}`,
      }))
      const body = await postJson(server.url, path, { instances })
      if (body !== nothing) throw new Error(`not all beats were heard: ${body.slice(0, 200)}`)
      return body
    }
    return run(stage, {
      template,
      async prepare(server) {
        const instances = Array.from({ length: BEATING }, (_, index) => ({
          service: 'orders',
          id: `orders-${String(index).padStart(3, '0')}`,
          host: '10.1.2.3',
          port: 8_080,
          leaseMs: 3_600_000,
        }))
        await postJson(server.url, REGISTER, { instances })
        return { body: await beat(server), headers: [] }
      },
      check: async (server) => void (await beat(server)),
    })
  },
}

const LISTED = 10

/** One list per request. */
export const lookup: Scenario = {
  name: 'lookup',
  about: `the list of a service of ${LISTED} instances over HTTP`,
  baseline: BASELINE,
  run(stage) {
    const path = '/api/v1/services/orders'
    return run(stage, {
      template: { method: 'GET', path },
      async prepare(server) {
        const instances = Array.from({ length: LISTED }, (_, index) => ({
          service: 'orders',
          host: `10.1.2.${index}`,
          port: 8_080,
          zone: `zone-${index % 3}`,
          metadata: { version: '1.4.2' },
          liveness: 'static',
        }))
        await postJson(server.url, REGISTER, { instances })
        const { body, etag } = await getJson(server.url, path)
        return { body, headers: ['ETag', etag, 'Cache-Control', 'no-cache'] }
      },
      async check(server) {
        const { body } = await getJson(server.url, path)
        if ((JSON.parse(body) as { instances: unknown[] }).instances.length !== LISTED)
          throw new Error(`not the list: ${body}`)
      },
    })
  },
}
