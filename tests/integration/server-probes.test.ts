/** A server and an instance that never beats: what its own probe says of it, and what is refused. */
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { Instance } from '@rollcall/wire'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi, type Api } from './http-calls.js'
import { listen } from './prober.fixture.js'

let server: ServerProcess
let api: Api

beforeAll(async () => {
  server = await startServerProcess()
  api = createApi(server)
})

afterAll(async () => {
  api.close()
  await killServerProcesses()
})

async function stateOf(id: string): Promise<string> {
  const { body } = await api.get(`/api/v1/services/orders/instances/${id}`)
  const { state, reason } = body as Instance
  return reason === undefined ? state : `${state} ${reason}`
}

describe('the own probe of an instance', () => {
  it.each(['lease', 'probe'])(
    'with liveness %s keeps it up while it answers, and brings it back',
    async (liveness) => {
      let healthy = true
      const asked: (string | undefined)[] = []
      const health = createServer((request, response) => {
        asked.push(`${request.url} ${String(request.headers['x-token'])}`)
        response.writeHead(healthy ? 200 : 503).end()
      })
      const port = await listen(health)
      const probe = { type: 'http', path: '/health', headers: { 'X-Token': 'a' }, status: 200 }
      const id = `by-${liveness}`
      const instance = { service: 'orders', id, host: '127.0.0.1', port, leaseMs: 1_000, liveness, probe }
      await api.post('/api/v1/register', { instances: [instance] })
      await expect.poll(() => asked.length).toBeGreaterThan(6)
      expect(new Set(asked)).toEqual(new Set(['/health a']))
      expect(await stateOf(id)).toBe('up')
      healthy = false
      await expect.poll(() => stateOf(id)).toBe('suspect silence')
      healthy = true
      await expect.poll(() => stateOf(id)).toBe('up')
    },
  )

  it('is refused by name of the field when it makes no sense', async () => {
    const instance = { service: 'orders', host: '127.0.0.1', port: 1 }
    const probes = [
      { type: 'tcp', path: '/health' },
      { type: 'http', headers: { 'Content-Length': '1' } },
      { type: 'http', tls: { serverName: '10.0.0.5' } },
      { type: 'http', status: true },
      { type: 'tcp', port: 2 },
      { type: 'http', headers: { Cookie: 'a=b' } },
    ]
    const { status, body } = await api.post('/api/v1/register', {
      instances: probes.map((probe) => ({ ...instance, probe })),
    })
    expect(status).toBe(400)
    const { results } = body as { results: { error: { field: string } }[] }
    expect(results.map(({ error }) => error.field)).toEqual([
      'instances[0].probe.path',
      'instances[1].probe.headers.Content-Length',
      'instances[2].probe.tls.serverName',
      'instances[3].probe.status',
      'instances[4].probe.port',
      'instances[5].probe.headers.Cookie',
    ])
  })
})
