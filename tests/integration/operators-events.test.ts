/** The event log of `rollcall serve`, read and followed over HTTP. */
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { EventsResponse, RegistryEvent } from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Api } from './http-calls.js'
import { openCheckedApi } from './openapi-contract.js'

let server: ServerProcess
let api: Api

beforeAll(async () => {
  server = await startServerProcess()
  ;({ api } = await openCheckedApi(server))
})

afterAll(async () => {
  api.close()
  await killServerProcesses()
})

/** Registers an instance that no evidence is asked of. */
async function register(service: string, id: string): Promise<void> {
  const instances = [{ service, id, host: '127.0.0.1', port: 4000, liveness: 'static' }]
  await api.post('/api/v1/register', { instances })
}

/** Reads server-sent events until `enough` of them came; resolves to id and data of each. */
async function follow(
  path: string,
  enough: number,
  headers: Readonly<Record<string, string>> = {},
  opened: () => Promise<unknown> = async () => undefined,
): Promise<{ id: string; event: string; data: RegistryEvent & { lost?: number } }[]> {
  const aborter = new AbortController()
  const response = await fetch(server.url + path, { headers, signal: aborter.signal })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  await opened()
  const decoder = new TextDecoder()
  let text = ''
  const found = (): string[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => block.includes('data: '))
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (found().length >= enough) break
  }
  aborter.abort()
  return found().map((block) => ({
    id: /^id: (.*)$/m.exec(block)?.[1] ?? '',
    event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
    data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as RegistryEvent,
  }))
}

describe('the event log', () => {
  it('says what happened, by whom and why', async () => {
    await register('logged', 'a')
    const instances = [{ service: 'logged', id: 'a' }]
    const drain = { instances, drain: true, by: 'ops', why: 'test' }
    await api.call('PUT', '/api/v1/overrides', { json: drain })
    await api.post('/api/v1/deregister', { instances })
    const { events, node, next } = (await api.get('/api/v1/events?service=logged')).body as EventsResponse
    expect(events).toMatchObject([
      { kind: 'registered', id: 'a', to: 'up', peer: '127.0.0.1' },
      { kind: 'override_set', from: 'up', to: 'draining', by: 'ops', why: 'test', reason: 'drain' },
      { kind: 'deregistered', from: 'draining', by: 'provider', peer: '127.0.0.1' },
    ])
    expect(Date.parse(events[0]?.at ?? '')).toBeGreaterThan(Date.now() - 60_000)
    const { seq } = events[1] as RegistryEvent
    const later = (await api.get(`/api/v1/events?service=logged&after=${seq}&limit=10`)).body
    expect(later).toEqual({ node, events: [events[2]], next })
    expect((await api.get('/api/v1/events?kind=override_set,frozen&id=a&service=logged')).body).toMatchObject(
      {
        events: [{ seq }],
      },
    )
    for (const query of ['kind=nonsense', 'after=x', 'limit=0', 'limit=1001', 'follow=1']) {
      expect((await api.get(`/api/v1/events?${query}`)).status, query).toBe(400)
    }
  })

  it('is followed from now on, from a number, and from where a reader was', async () => {
    await register('followed', 'a')
    const [first] = await follow('/api/v1/events?follow=true&service=followed', 1, {}, () =>
      register('followed', 'b'),
    )
    expect(first?.data).toMatchObject({ kind: 'registered', id: 'b' })
    const accept = { accept: 'text/event-stream' }
    const all = await follow('/api/v1/events?service=followed&after=0', 2, accept)
    expect(all.map(({ data }) => data.id)).toEqual(['a', 'b'])
    await register('followed', 'c')
    const resumed = await follow('/api/v1/events?service=followed', 1, {
      ...accept,
      'last-event-id': all[1]?.id ?? '',
    })
    expect(resumed[0]?.data).toMatchObject({ id: 'c' })
    const elsewhere = await follow('/api/v1/events?service=followed', 3, {
      ...accept,
      'last-event-id': 'other-node:999',
    })
    expect(elsewhere.map(({ data }) => data.id)).toEqual(['a', 'b', 'c'])
  })

  it('tells a reader that was away for too long what it missed', async () => {
    const small = await startServerProcess({ args: ['--limits-events-max', '5'] })
    try {
      const instances = Array.from({ length: 20 }, (_, index) => ({
        service: 'many', id: `i${index}`, host: '127.0.0.1', port: 1, liveness: 'static',
      })) // prettier-ignore
      await fetch(`${small.url}/api/v1/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ instances }),
      })
      const answer = await fetch(`${small.url}/api/v1/events?after=1`)
      expect(await answer.json()).toMatchObject({ lost: 14, next: 20, events: { length: 5 } })
      const before = server
      server = small
      const told = await follow('/api/v1/events?after=1&follow=true', 6)
      server = before
      expect(told[0]).toMatchObject({ event: 'lost', data: { lost: 14 } })
      expect(told[5]?.data).toMatchObject({ id: 'i19' })
    } finally {
      await small.kill()
    }
  })
})
