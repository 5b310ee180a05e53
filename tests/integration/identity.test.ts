/** Who is who, over HTTP: what is answered to names, pages and removals that are none, and whom events name. */
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import type { ErrorBody } from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Api } from './http-calls.js'
import { openCheckedApi } from './openapi-contract.js'

let api: Api

beforeAll(async () => {
  ;({ api } = await openCheckedApi(await startServerProcess()))
})

afterAll(async () => {
  api.close()
  await killServerProcesses()
})

const register = async (...instances: Readonly<Record<string, unknown>>[]): Promise<Answer> =>
  api.post('/api/v1/register', {
    instances: instances.map((each) => ({ host: '10.1.2.3', port: 80, ...each })),
  })
const deregister = async (body: unknown): Promise<Answer> => api.post('/api/v1/deregister', body)
const errorOf = ({ body }: Answer): ErrorBody => (body as { readonly error: ErrorBody }).error
const told = (answer: Answer): unknown => [answer.status, errorOf(answer).code, errorOf(answer).field]

describe('a removal that removes nothing', () => {
  it('is no success', async () => {
    await register({ service: 'kept', id: 'a', incarnation: 5 })
    const kept = { service: 'kept', id: 'a' }
    const superseded = await deregister({ instances: [kept] })
    expect(told(superseded)).toEqual([409, 'superseded', undefined])
    expect(superseded.body).toMatchObject({
      error: { details: { incarnation: 5 } },
      removed: [],
      superseded: [kept],
    })
    expect(told(await deregister({ instances: [{ ...kept, incarnation: 4 }] }))).toEqual([409, 'superseded', undefined])
    expect(told(await deregister({ instances: [{ service: 'kept', id: 'b' }] }))).toEqual([404, 'unknown_instance', undefined])
    expect(told(await deregister({ host: '10.9.9.9' }))).toEqual([404, 'unknown_instance', 'host'])
    expect(told(await deregister({ host: '10.1.2.0/24' }))).toEqual([400, 'invalid_argument', 'host'])
    const some = await deregister({ instances: [{ service: 'kept', id: 'b' }, { ...kept, incarnation: 5 }] })
    expect(some).toMatchObject({ status: 200, body: { removed: [kept], unknown: [{ id: 'b' }] } })
    expect(told(await deregister({ instances: [{ ...kept, incarnation: 5 }] }))).toEqual([404, 'unknown_instance', undefined])
  }) // prettier-ignore

  it('by its author is one, and the event names the author', async () => {
    await register({ service: 'signed', id: 'a', incarnation: 5 })
    const answer = await deregister({ instances: [{ service: 'signed', id: 'a' }], by: 'ann', why: 'zombie' })
    expect(answer).toMatchObject({ status: 200, body: { removed: [{ id: 'a' }] } })
    const { body } = await api.get('/api/v1/events?service=signed&kind=deregistered')
    expect(body).toMatchObject({ events: [{ by: 'ann', why: 'zombie' }] })
  })
})

describe('a page token that is none', () => {
  it.each(['orders', 'default', 'default/', '/orders', 'a/b/c', 'default/..', 'abc def/x'])(
    'is refused in the list of services: %s',
    async (after) => {
      expect(told(await api.get(`/api/v1/services?after=${encodeURIComponent(after)}`))).toEqual([400, 'invalid_argument', 'after'])
    },
  ) // prettier-ignore

  it('is one of another namespace', async () => {
    const path = '/api/v1/services?namespace=default&after=other/orders'
    expect(told(await api.get(path))).toEqual([400, 'invalid_argument', 'after'])
    expect((await api.get('/api/v1/services?after=other/orders')).status).toBe(200)
  })

  it.each(['orders', 'default/orders', 'default/orders/default/a/b'])(
    'is refused in the list of overrides: %s',
    async (after) => {
      expect(told(await api.get(`/api/v1/overrides?after=${after}`))).toEqual([
        400,
        'invalid_argument',
        'after',
      ])
    },
  )
})

describe('a service that is not there', () => {
  it('is told from one that differs in case only', async () => {
    await register({ service: 'ORDERS' }, { service: 'Billing' }, { service: 'users' })
    for (const [asked, meant] of [['orders', 'ORDERS'], ['BILLING', 'Billing'], ['Users', 'users']]) {
      const answer = await api.get(`/api/v1/services/${asked}`)
      expect(told(answer)).toEqual([404, 'unknown_service', undefined])
      expect(errorOf(answer).message).toContain(`there is ${meant},`)
    }
    expect(errorOf(await api.get('/api/v1/services/order')).message).not.toContain('there is')
  }) // prettier-ignore
})

describe('a registration', () => {
  it('that is born disabled says so', async () => {
    const instance = { service: 'banned', id: 'a' }
    await register(instance)
    const override = { instances: [instance], disable: true, why: 'broken disk' }
    expect((await api.call('PUT', '/api/v1/overrides', { json: override })).status).toBe(200)
    await deregister({ instances: [instance], by: 'ann' })
    const { body } = await register({ ...instance, port: 81 })
    expect(body).toMatchObject({ results: [{ ok: true, state: 'disabled', reason: 'broken disk' }] })
  })

  it('at an address to listen on is told where it came from, if others could call there', async () => {
    const answer = await register({ service: 'bound', host: '0.0.0.0' })
    expect(told(answer)).toEqual([400, 'invalid_argument', 'instances[0].host'])
    expect(errorOf(answer).message).toBe('host 0.0.0.0 is where you listen, not where others reach you')
  })
})
