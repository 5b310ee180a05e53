/** `/livez`, `/readyz` and `/metrics`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { NO_REFUSALS, type Readiness } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { healthMounts } from './health.js'
import type { HealthDeps } from './health.js'
import { createMountTable } from './mounts.js'

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: string
}

function ask(method: string, url: string, deps: Partial<HealthDeps> = {}): Answer {
  const answer: Answer = { status: 0, headers: {}, body: '' }
  const response = {
    setHeader: (name: string, value: unknown) => void (answer.headers[name] = value),
    writeHead(status: number, headers: Record<string, unknown>) {
      answer.status = status
      Object.assign(answer.headers, headers)
    },
    end: (body: string) => void (answer.body = body),
  } as unknown as ServerResponse
  const mounts = healthMounts({
    readiness: () => ({ ready: true }),
    health: () => ({ stale: false, island: false }),
    engine: () => ({ kind: 'none', state: 'connected' }),
    frozen: () => [],
    journalFault: () => undefined,
    heap: () => ({ used: 74, max: 100 }),
    metrics: () => 'up 1\n',
    checkHost: () => {},
    refusals: NO_REFUSALS,
    ...deps,
  })
  const find = createMountTable([
    ...mounts,
    { path: '/', handleRequest: () => expect.fail('at another mount') },
  ])
  find(url).handleRequest({ method, url, socket: { remoteAddress: '10.0.0.7' } } as IncomingMessage, response)
  return answer
}

describe('health', () => {
  it('is alive whatever readiness and metrics say', () => {
    const broken = (): never => expect.fail('not asked')
    expect(ask('GET', '/livez', { readiness: broken, metrics: broken })).toMatchObject({
      status: 200,
      body: '{"live":true}',
    })
  })

  it('is ready or says why not', () => {
    expect(ask('GET', '/readyz?verbose')).toMatchObject({ status: 200, body: '{"ready":true}' })
    expect(ask('GET', '/readyz', { frozen: () => ['*'] })).toMatchObject({
      status: 200,
      body: '{"ready":true,"frozen":["*"]}',
    })
    expect(ask('GET', '/readyz', { health: () => ({ stale: true, island: true }) })).toMatchObject({
      status: 200,
      body: '{"ready":true,"stale":true,"island":true}',
    })
    const readiness = (): Readiness => ({ ready: false, reason: 'loading' })
    const answer = ask('GET', '/readyz', { readiness })
    expect(answer).toMatchObject({ status: 503 })
    expect(JSON.parse(answer.body)).toEqual({
      ready: false,
      reason: 'loading',
      error: { code: 'not_ready', message: 'not ready: loading' },
    })
    expect(answer.headers).toMatchObject({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  })

  it('says how the engine is, and whether another node is better asked', () => {
    const connected = ask('GET', '/readyz', { engine: () => ({ kind: 'etcd', state: 'connected' }) })
    expect(connected).toMatchObject({ status: 200, body: '{"ready":true,"engine":"connected"}' })
    const island: Partial<HealthDeps> = {
      readiness: () => ({ ready: false, reason: 'island' }),
      health: () => ({ stale: true, island: true }),
      engine: () => ({ kind: 'etcd', state: 'lost' }),
    }
    const lost = ask('GET', '/readyz', island)
    expect([lost.status, JSON.parse(lost.body)]).toEqual([
      503,
      {
        ready: false,
        reason: 'island',
        error: { code: 'not_ready', message: 'not ready: island' },
        engine: 'lost',
        stale: true,
        island: true,
      },
    ])
    expect(ask('GET', '/livez', island)).toMatchObject({ status: 200, body: '{"live":true}' })
  })

  it('stays ready while the disk refuses, and says so and why', () => {
    expect(ask('GET', '/readyz', { journalFault: () => 'files' })).toMatchObject({
      status: 200,
      body: '{"ready":true,"journal":"failing","journalFault":"files"}',
    })
  })

  it('shows how near the heap is to its bound, and stays ready however full it is', () => {
    const full = ask('GET', '/readyz', { heap: () => ({ used: 120, max: 100 }) })
    expect(full).toMatchObject({
      status: 200,
      body: '{"ready":true,"heap":{"usedBytes":120,"maxBytes":100}}',
    })
    const near = ask('GET', '/readyz', { heap: () => ({ used: 75, max: 100 }) })
    expect(near.body).toBe('{"ready":true,"heap":{"usedBytes":75,"maxBytes":100}}')
  })

  it('shows metrics in the format of their scrapers, with their length in bytes', () => {
    const answer = ask('GET', '/metrics', { metrics: () => 'größe 1\n' })
    expect(answer).toMatchObject({ status: 200, body: 'größe 1\n' })
    expect(answer.headers).toMatchObject({
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Content-Length': 10,
    })
  })

  it('tells a host name that is refused no more than whether, and that it is', () => {
    const noted: unknown[] = []
    const refused: Partial<HealthDeps> = {
      checkHost: () => {
        throw new RegistryError('forbidden_host', 'not by that name')
      },
      refusals: { note: ({ code }, peer) => void noted.push([code, peer]) },
      frozen: () => ['secret'],
      journalFault: () => 'files',
    }
    expect(ask('GET', '/livez', refused).body).toBe('{"live":true}')
    const error = { code: 'forbidden_host', message: 'not by that name' }
    const ready = ask('GET', '/readyz', refused)
    expect([ready.status, JSON.parse(ready.body)]).toEqual([200, { ready: true, refused: error }])
    // It was served: nothing to tell the log of.
    expect(noted).toEqual([])
    const figures = ask('GET', '/metrics', refused)
    expect([figures.status, JSON.parse(figures.body)]).toEqual([403, { error }])
    expect(noted).toEqual([['forbidden_host', '10.0.0.7']])
  })

  it('is read only', () => {
    expect(ask('HEAD', '/livez').status).toBe(200)
    const answer = ask('POST', '/metrics')
    expect(answer).toMatchObject({ status: 405, headers: { Allow: 'GET, HEAD' } })
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'method_not_allowed' } })
  })
})
