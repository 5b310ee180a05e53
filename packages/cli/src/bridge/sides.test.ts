/** What other registries answer over HTTP, and what a bridge makes of it: of one instance, or of the registry as a whole. */
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import type { Fetch } from '../shell.js'
import { createConsulSide } from './consul.js'
import { createEurekaSide } from './eureka.js'
import { ANSWER_BYTES_MAX, LISTED_MAX } from './foreign-http.js'
import { mirrorOf } from './mark.js'
import type { MirroredInstance } from './records.js'
import { instance } from './registries.fixture.js'
import type { Side } from './side.js'

interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
}

type Answer = readonly [status: number, text?: string, location?: string]

/** A registry that answers what a test says. */
function answering(answer: (asked: Asked) => Answer): { readonly fetch: Fetch; readonly asked: Asked[] } {
  const asked: Asked[] = []
  const fetch: Fetch = (url, { method, headers, body = '', redirect }) => {
    expect(redirect).toBe('manual')
    const question = { method, url, headers, body }
    asked.push(question)
    const [status, text = '', location] = answer(question)
    return Promise.resolve({
      ok: status < 300,
      status,
      headers: { get: (name) => (name === 'location' ? (location ?? null) : null) },
      body: new Blob([text]).stream() as never,
    })
  }
  return { fetch, asked }
}

const KINDS = ['eureka', 'consul'] as const

function sideOf(kind: (typeof KINDS)[number], fetch: Fetch, url = 'http://h'): Side {
  const deps = { fetch, clock: new HandClock() }
  return kind === 'eureka'
    ? createEurekaSide(deps, { urls: [`${url}/eureka`], timeoutMs: 1_000 })
    : createConsulSide(deps, { urls: [url], timeoutMs: 1_000, token: undefined })
}

const mirrors = [1, 2, 3].map((n) => mirrorOf(instance(n), 'rollcall', 'b'))
const never = (): boolean => false
const all = (): boolean => true
type Work = 'register' | 'renew' | 'remove'

/** What was made of each of three mirrors. */
async function done(side: Side, work: Work): Promise<string[]> {
  const outcomes: string[] = []
  await side[work](mirrors, never, (mirror: MirroredInstance, outcome) => {
    outcomes.push(`${mirror.host} ${typeof outcome === 'string' ? outcome : outcome.refused}`)
  })
  return outcomes.sort()
}

describe.each(KINDS)('%s', (kind) => {
  it('that cannot take one instance takes the others', async () => {
    const { fetch } = answering(({ body }) => (body.includes('10.0.0.2') ? [500, 'cannot  read it'] : [200]))
    expect(await done(sideOf(kind, fetch), 'register')).toEqual([
      '10.0.0.1 done',
      '10.0.0.2 HTTP 500: cannot read it',
      '10.0.0.3 done',
    ])
  })

  it.each([502, 503, 504])('that answers %i is away', async (status) => {
    const { fetch } = answering(() => [status])
    for (const work of ['register', 'renew', 'remove'] as const)
      await expect(done(sideOf(kind, fetch), work)).rejects.toMatchObject({ code: 'unreachable' })
    await expect(sideOf(kind, fetch).list(all)).rejects.toMatchObject({ code: 'unreachable' })
  })

  it('that does not know an instance has forgotten it, and it need not be removed', async () => {
    const { fetch } = answering(() => [404, 'Unknown check ID "service:x"'])
    expect(await done(sideOf(kind, fetch), 'renew')).toEqual([1, 2, 3].map((n) => `10.0.0.${n} unknown`))
    expect(await done(sideOf(kind, fetch), 'remove')).toEqual([1, 2, 3].map((n) => `10.0.0.${n} done`))
  })

  it('that refuses has renewed nothing, and removed nothing', async () => {
    const { fetch } = answering(() => [403, 'Permission denied'])
    for (const work of ['renew', 'remove'] as const)
      await expect(done(sideOf(kind, fetch), work)).rejects.toThrow(/HTTP 403: Permission denied/)
  })

  it('that redirects is not followed, and says where to', async () => {
    const { fetch, asked } = answering(() => [301, '', 'https://u:secret@other/path?token=x'])
    const listing = sideOf(kind, fetch, 'http://u:p%40ss@h').list(all)
    await expect(listing).rejects.toMatchObject({ code: 'protocol' })
    await expect(listing).rejects.toThrow(/redirects to https:\/\/other\/path; name that URL/)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.headers['authorization']).toBe(`Basic ${btoa('u:p@ss')}`)
  })

  it('that says more than fits is not read to its end', async () => {
    let pulled = 0
    const fetch: Fetch = () =>
      Promise.resolve({
        ok: true,
        status: 200,
        headers: { get: () => null },
        body: new ReadableStream<Uint8Array>({
          pull(controller) {
            pulled += 1_048_576
            controller.enqueue(new Uint8Array(1_048_576))
          },
        }) as never,
      })
    await expect(sideOf(kind, fetch).list(all)).rejects.toThrow(/is longer than/)
    expect(pulled).toBeLessThan(ANSWER_BYTES_MAX + 10_000_000)
  })

  it('that answers with something else says how its URL is written', async () => {
    for (const text of ['', '<html>', '[]', '{"a":1}']) {
      const { fetch } = answering(() => [200, text])
      await expect(sideOf(kind, fetch).list(all)).rejects.toThrow(/does not answer like/)
    }
  })
})

describe('Consul', () => {
  it('of an older release says otherwise that it does not know a check', async () => {
    const { fetch } = answering(() => [500, 'CheckID "service:x" does not have associated TTL'])
    expect(await done(sideOf('consul', fetch), 'renew')).toHaveLength(3)
    const failing = answering(() => [500, 'No cluster leader'])
    await expect(done(sideOf('consul', failing.fetch), 'renew')).rejects.toThrow(/No cluster leader/)
  })

  it('is asked for the services that are wanted, and for no more than fits', async () => {
    const entry = { Node: { Node: 'n', Address: '10.0.0.9' }, Service: { ID: 'a', Service: 'web', Port: 80 } }
    const { fetch, asked } = answering(({ url }) =>
      url.endsWith('/services') ? [200, '{"web":[],"db":[],"consul":[]}'] : [200, JSON.stringify([entry])],
    )
    const { instances } = await sideOf('consul', fetch).list((service) => service === 'web')
    expect(instances).toHaveLength(1)
    expect(asked.map(({ url }) => url)).toEqual([
      'http://h/v1/catalog/services',
      'http://h/v1/health/service/web',
    ])
    const half = JSON.stringify(Array.from({ length: LISTED_MAX / 2 + 1 }, () => entry))
    const huge = answering(({ url }) =>
      url.endsWith('/services') ? [200, '{"web":[],"db":[]}'] : [200, half],
    )
    await expect(sideOf('consul', huge.fetch).list(all)).rejects.toThrow(/more than 100000 instances/)
  })
})
