/** What operators do over HTTP, against `rollcall serve`: every answer is held against the served document. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type {
  EventsResponse,
  Explanation,
  NodeStatus,
  OverridesList,
  RegisterResponse,
  SubscribersResponse,
  View,
} from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { metric, type Api } from './http-calls.js'
import { openEvents, openStream } from './subscribers.js'
import { openCheckedApi, type Contract } from './openapi-contract.js'

let directory: string
let server: ServerProcess
let api: Api
let contract: Contract | undefined

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rollcall-operators-'))
  await start()
})

/** Starts the server, also a second time where the first one was; what was checked before still counts. */
async function start(): Promise<void> {
  server = await startServerProcess({ dataDir: join(directory, 'data') })
  ;({ api, contract } = await openCheckedApi(server, contract))
}

afterAll(async () => {
  api.close()
  await killServerProcesses()
  rmSync(directory, { recursive: true, force: true })
})

/** Registers instances that no evidence is asked of. Resolves to their incarnations. */
async function register(service: string, ...ids: string[]): Promise<number[]> {
  const instances = ids.map((id) => ({ service, id, host: '127.0.0.1', port: 4000, liveness: 'static' }))
  const { results } = (await api.post('/api/v1/register', { instances })).body as RegisterResponse
  return results.map((result) => (result.ok ? result.incarnation : Number.NaN))
}

/** State and reason of each instance of a service, by id. */
async function shown(service: string): Promise<Record<string, string>> {
  const { instances } = (await api.get(`/api/v1/services/${service}`)).body as View
  return Object.fromEntries(
    instances.map(({ id, state, reason }) => [id, reason === undefined ? state : `${state}: ${reason}`]),
  )
}

function put(json: unknown): ReturnType<Api['call']> {
  return api.call('PUT', '/api/v1/overrides', { json })
}

function clear(json: unknown): ReturnType<Api['call']> {
  return api.call('DELETE', '/api/v1/overrides', { json })
}

describe('overrides', () => {
  it('drain, disable and weigh, judged item by item', async () => {
    const [incarnation] = await register('orders', 'a', 'b')
    const answer = await put({
      instances: [{ service: 'orders', id: 'a' }, { service: 'orders', id: 'absent' }, { service: 'orders' }],
      drain: true,
      by: 'ops',
      why: 'kernel update',
      colour: 'red',
    })
    expect(answer).toMatchObject({
      status: 200,
      body: {
        results: [
          {
            ok: true,
            namespace: 'default',
            service: 'orders',
            id: 'a',
            incarnation,
            state: 'draining',
            durability: 'disk',
          },
          { ok: false, error: { code: 'unknown_instance', field: 'instances[1]' } },
          { ok: false, error: { code: 'invalid_argument', field: 'instances[2].id' } },
        ],
        warnings: ['colour'],
      },
    })
    await put({ instances: [{ service: 'orders', id: 'b' }], disable: true, weight: 7 })
    expect(await shown('orders')).toEqual({ a: 'draining: kernel update', b: 'disabled: operator' })
    const { body } = await api.get('/api/v1/services/orders/instances/b')
    expect(body).toMatchObject({ weight: 7 })
    expect(await clear({ instances: [{ service: 'orders', id: 'a' }] })).toMatchObject({
      body: { results: [{ ok: true, state: 'up' }] },
    })
    expect(await shown('orders')).toEqual({ a: 'up', b: 'disabled: operator' })
  })

  it('refuse what makes no sense, with the field', async () => {
    const [incarnation = 0] = await register('refused', 'a')
    const instances = [{ service: 'refused', id: 'a', incarnation: incarnation - 1 }]
    expect(await put({ instances, drain: true })).toMatchObject({
      status: 409,
      body: { error: { code: 'superseded', field: 'instances[0]', details: { incarnation } } },
    })
    expect(await put({ instances: [{ service: 'refused', id: 'z' }], drain: true })).toMatchObject({
      status: 404,
      body: { error: { code: 'unknown_instance' }, results: [{ ok: false }] },
    })
    expect(await put({ instances })).toMatchObject({ status: 400, body: { error: { field: 'drain' } } })
    expect(await put({ instances, drain: 1 })).toMatchObject({
      status: 400,
      body: { error: { field: 'drain' } },
    })
    expect(await put({ instances, drain: true, durationMs: 1 })).toMatchObject({
      status: 400,
      body: { error: { field: 'durationMs' } },
    })
    expect(await shown('refused')).toEqual({ a: 'up' })
  })

  it('outlive a new registration and kill -9, are listed, and end by themselves', async () => {
    await register('kept', 'a', 'b')
    await put({ instances: [{ service: 'kept', id: 'a' }], disable: true, by: 'ops', why: 'broken' })
    await put({ instances: [{ service: 'kept', id: 'b' }], drain: true, durationMs: 1_000 })
    await server.kill()
    api.close()
    await start()
    await api.post('/api/v1/register', {
      instances: [{ service: 'kept', id: 'a', host: '127.0.0.2', port: 4000, liveness: 'static' }],
    })
    expect((await shown('kept'))['a']).toBe('disabled: broken')
    const { overrides } = (await api.get('/api/v1/overrides?service=kept')).body as OverridesList
    expect(overrides[0]).toMatchObject({
      id: 'a',
      state: 'disabled',
      disable: true,
      by: 'ops',
      why: 'broken',
    })
    await expect.poll(async () => (await shown('kept'))['b']).toBe('up')
    const page = (await api.get('/api/v1/overrides?limit=1')).body as OverridesList
    expect(page.overrides).toHaveLength(1)
    expect(page.next).toEqual(expect.any(String))
    expect((await api.get('/api/v1/overrides?limit=0')).status).toBe(400)
    await clear({ instances: [{ service: 'kept', id: 'a' }] })
    expect((await shown('kept'))['a']).toBe('up')
  })
})

describe('a freeze', () => {
  it('stands where everybody looks, refuses removal by host, and survives kill -9', async () => {
    await register('frosty', 'a')
    const freeze = (method: string, json: unknown): ReturnType<Api['call']> =>
      api.call(method, '/api/v1/freeze', { json })
    expect(await freeze('PUT', { by: 'ops', why: 'switch work' })).toMatchObject({
      status: 200,
      body: { durability: 'disk' },
    })
    expect((await api.get('/api/v1/services/frosty')).body).toMatchObject({ frozen: true })
    expect((await api.get('/api/v1/services?prefix=frosty')).body).toMatchObject({
      services: [{ frozen: true }],
    })
    expect((await api.get('/api/v1/namespaces')).body).toMatchObject({ namespaces: [{ frozen: true }] })
    expect((await api.get('/readyz')).body).toEqual({ ready: true, frozen: ['default'] })
    expect(await metric(api, 'rollcall_frozen_namespaces')).toBe(1)
    expect(await api.post('/api/v1/deregister', { host: '127.0.0.1', confirm: true })).toMatchObject({
      status: 409,
      body: { error: { code: 'frozen', details: { namespaces: ['default'] } } },
    })
    await server.kill()
    api.close()
    await start()
    expect((await api.get('/api/v1/freeze')).body).toMatchObject({
      freezes: [{ namespace: 'default', by: 'ops', why: 'switch work' }],
    })
    expect((await freeze('DELETE', { by: 'ops' })).body).toEqual({ removed: true })
    expect((await freeze('DELETE', {})).body).toEqual({ removed: false })
    expect((await api.get('/api/v1/services/frosty')).body).not.toHaveProperty('frozen')
    expect((await freeze('PUT', { namespace: 'a b' })).status).toBe(400)
  })
})

describe('an explanation', () => {
  it('answers why an instance is, or is not, in the list', async () => {
    await api.post('/api/v1/register', {
      instances: [
        { service: 'why', id: 'a', host: '127.0.0.1', port: server.port },
        { service: 'why', id: 'z', host: '127.0.0.1', port: server.port },
      ],
    })
    await put({ instances: [{ service: 'why', id: 'a' }], drain: true, by: 'ops', durationMs: 60_000 })
    const path = '/api/v1/explain?service=why&id=a'
    await expect.poll(async () => ((await api.get(path)).body as Explanation).evidence?.baseline).toBe(true)
    const { body } = await api.get(path)
    expect(body).toMatchObject({
      listed: true,
      state: 'draining',
      content: { host: '127.0.0.1', liveness: 'lease', peer: '127.0.0.1' },
      verdict: { value: 'up', reason: 'registered', claim: 1 },
      override: { drain: true, by: 'ops', counter: expect.any(Number) },
      evidence: { heardBy: 'registration', probeAllowed: true },
      guards: { service: { tripped: false, kept: 0 }, freezes: [] },
      next: { verdict: 'suspect' },
      events: [{ kind: 'registered' }, { kind: 'override_set' }],
    })
    expect((body as Explanation).summary).toMatch(
      /^a of why has been listed as draining for .* because ops said so/,
    )
    await api.post('/api/v1/deregister', { instances: [{ service: 'why', id: 'a' }] })
    expect((await api.get(path)).body).toMatchObject({
      listed: false,
      content: { intent: 'gone', by: 'provider' },
    })
    expect((await api.get('/api/v1/explain?service=why&id=b')).status).toBe(404)
    expect((await api.get('/api/v1/explain?service=absent&id=b')).body).toMatchObject({
      error: { code: 'unknown_service' },
    })
    expect((await api.get('/api/v1/explain?service=why')).body).toMatchObject({ error: { field: 'id' } })
  })
})

describe('an event', () => {
  it('names the address of its caller, whatever the caller did', async () => {
    const service = '/api/v1/services/authored'
    await api.call('PUT', service, { json: { groups: ['default'] } })
    await api.call('PUT', '/api/v1/namespaces/authored', { json: { allow: ['127.0.0.1'] } })
    await api.call('PUT', '/api/v1/freeze', { json: { namespace: 'authored' } })
    await api.call('DELETE', '/api/v1/freeze', { json: { namespace: 'authored' } })
    await api.call('DELETE', '/api/v1/namespaces/authored')
    await api.call('DELETE', service)
    const kinds = 'kind=declared,undeclared,frozen,unfrozen'
    const { body } = await api.get(`/api/v1/events?${kinds}&limit=6`)
    const { events } = body as EventsResponse
    expect(events.map(({ kind, peer }) => `${kind} ${peer}`)).toEqual(
      ['declared', 'declared', 'frozen', 'unfrozen', 'undeclared', 'undeclared'].map(
        (kind) => `${kind} 127.0.0.1`,
      ),
    )
  })
})

describe('a mistaken removal', () => {
  it('is undone, after a look at what that would be, also after kill -9', async () => {
    const instances = ['a', 'b'].map((id) => ({
      service: 'mistaken', id, host: '127.0.0.77', port: 4000, liveness: 'static', metadata: { v: '1' },
    })) // prettier-ignore
    const { results } = (await api.post('/api/v1/register', { instances })).body as RegisterResponse
    const numbers = results.map((result) => (result.ok ? result.incarnation : Number.NaN))
    await api.post('/api/v1/deregister', { host: '127.0.0.77' })
    await server.kill()
    api.close()
    await start()
    const restore = (json: object): ReturnType<Api['call']> =>
      api.post('/api/v1/restore', { service: 'mistaken', ...json })
    expect(await restore({ dryRun: true, colour: 'red' })).toMatchObject({
      status: 200,
      body: { dryRun: true, results: [{ id: 'a' }, { id: 'b' }], warnings: ['colour'] },
    })
    expect((await api.get('/api/v1/services/mistaken')).body).toMatchObject({ instances: [] })
    expect((await restore({ ids: ['a', 'z'], by: 'ops', why: 'wrong host' })).body).toMatchObject({
      dryRun: false,
      durability: 'disk',
      results: [
        { ok: true, id: 'a', incarnation: (numbers[0] ?? 0) + 1, host: '127.0.0.77', was: 'deregistered' },
        { ok: false, id: 'z', error: { code: 'unknown_instance' } },
      ],
    })
    expect((await api.get('/api/v1/services/mistaken')).body).toMatchObject({
      instances: [{ id: 'a', state: 'up', metadata: { v: '1' }, incarnation: (numbers[0] ?? 0) + 1 }],
    })
    expect((await api.get('/api/v1/events?kind=restored&service=mistaken')).body).toMatchObject({
      events: [{ id: 'a', by: 'ops', why: 'wrong host' }],
    })
    expect((await restore({ reasons: ['nonsense'] })).status).toBe(400)
    // As many as a batch holds, with the longest of ids.
    const many = Array.from({ length: 10_000 }, (_, index) => String(index).padEnd(320, '-'))
    expect((await restore({ ids: many, dryRun: true })).status).toBe(200)
    expect((await api.post('/api/v1/restore', { service: 'never-seen' })).status).toBe(404)
  })
})

describe('who has heard of a drain', () => {
  const path = '/api/v1/services/heard/subscribers'
  async function count(query = ''): Promise<SubscribersResponse> {
    return (await api.get(path + query)).body as SubscribersResponse
  }

  it('is every stream that acknowledged and every event stream that was written to', async () => {
    await register('heard', 'a')
    const stream = await openStream(server)
    const events = await openEvents(server, 'service=heard:default')
    await stream.ask({ type: 'watch', services: [{ service: 'heard' }] })
    const ack = async (): Promise<void> => {
      const seqs = stream.messages.flatMap((message) => ('seq' in message ? [message.seq] : []))
      stream.ws.send(JSON.stringify({ type: 'ack', seq: Math.max(...seqs) }))
      await stream.ask({ type: 'ping' })
    }
    await expect.poll(() => stream.mirror('heard').instances.size).toBe(1)
    await ack()
    await expect.poll(() => count()).toMatchObject({ subscribers: 2, acknowledged: 2, settled: true })
    await put({ instances: [{ service: 'heard', id: 'a' }], drain: true })
    const { seq } = await count()
    await expect
      .poll(() => count(`?seq=${seq}`))
      .toMatchObject({ subscribers: 2, acknowledged: 1, settled: false, seq })
    await clear({ instances: [{ service: 'heard', id: 'a' }] })
    await expect.poll(() => stream.messages.filter((message) => message.type === 'delta').length).toBe(2)
    await ack()
    expect(await count(`?seq=${seq}&group=default`)).toEqual({
      subscribers: 2, acknowledged: 2, pollersMs: 0, seq, settled: true,
    }) // prettier-ignore
    stream.ws.terminate()
    events.close()
    await expect.poll(() => count()).toMatchObject({ subscribers: 0, settled: true })
  })

  it('is waited for by their interval of those who poll', async () => {
    await register('polled', 'a')
    const polled = '/api/v1/services/polled'
    const ask = async (query: string): Promise<unknown> =>
      (await api.get(`${polled}/subscribers${query}`)).body
    expect(await ask('')).toMatchObject({ pollersMs: 0, settled: true })
    await api.get(polled)
    expect(await ask('?ageMs=4000')).toMatchObject({ subscribers: 0, pollersMs: 1_000, settled: false })
    await api.get(`${polled}?every=30s`)
    expect(await ask('?ageMs=4000')).toMatchObject({ pollersMs: 26_000, settled: false })
    expect(await ask('?ageMs=30000')).toMatchObject({ pollersMs: 0, settled: true })
    expect((await api.get(`${polled}?every=1h`)).status).toBe(400)
    expect((await api.get(`${polled}/subscribers?seq=x`)).status).toBe(400)
    expect((await api.get('/api/v1/services/never-seen/subscribers')).status).toBe(404)
  })
})

describe('the status of a node', () => {
  it('is what a start made, and what happened since', async () => {
    await register('seen', 'a')
    const { status, body } = await api.get('/api/v1/status')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      cluster: 'rollcall',
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      readiness: { ready: true },
      clients: { sessions: 0, eventStreams: 0, longPolls: 0, watches: 0 },
      journal: { failing: false },
    })
  })
})

describe('the cluster of a node by itself', () => {
  it('is that node, which judges all that it lists and has the open streams', async () => {
    await register('judged', 'a', 'b')
    const stream = await openStream(server)
    const { status, body } = await api.get('/api/v1/cluster')
    const told = (await api.get('/api/v1/status')).body as NodeStatus
    await stream.close()
    const { node, address, version, registry } = told
    const judges = Object.values(registry.instances).reduce((sum, each) => sum + each, 0)
    expect(judges).toBeGreaterThanOrEqual(2)
    expect([status, body]).toEqual([
      200,
      {
        cluster: 'rollcall',
        epoch: '',
        nodes: [{ node, address, version, state: 'ready', judges, sessions: 1, unpublished: 0, lagMs: 0 }],
        engine: { kind: 'none', state: 'connected', endpoints: [] },
        divergence: 0,
      },
    ])
    expect(told).not.toHaveProperty('joined')
  })
})

it('every documented operation for operators was checked', () => {
  expect(contract?.unseenForOperators).toEqual([])
})
