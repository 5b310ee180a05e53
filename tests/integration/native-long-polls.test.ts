/** Long polls from the inside of a node: they wait, are woken, and leave nothing behind. Their answers: server-reads.test.ts. */
import { EMPTY_SIGN } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, instance, startNode, until, type TestNode } from './native-node.fixture.js'
import { soon } from './support/soon.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode({ closeMsMax: 200 })
})
afterEach(() => node.close())

const isWaiting = (): Promise<void> =>
  until(() => node.native.stats().longPolls === 1, 'the long poll waits', 5_000)

describe('a long poll', () => {
  it.each([
    ['of a service that is not registered yet', `/api/v1/services/orders?since=${EMPTY_SIGN}&wait=60s`],
    ['of the list of services', '/api/v1/services?wait=60s'],
  ])('%s is woken by a registration, and then is gone', async (_, path) => {
    const tag = (await call(node, 'GET', '/api/v1/services')).headers.get('etag') ?? ''
    const waiting = call(node, 'GET', path, undefined, path.includes('since') ? {} : { 'if-none-match': tag })
    await isWaiting()
    await call(node, 'POST', '/api/v1/register', { instances: [instance('a')] })
    const { status, body } = await soon(waiting)
    expect([status, JSON.stringify(body).includes('"orders"')]).toEqual([200, true])
    expect(node.native.stats().longPolls).toBe(0)
  })

  it('is forgotten when its peer leaves', async () => {
    const abort = new AbortController()
    const poll = fetch(`${node.origin}/api/v1/services/orders?since=${EMPTY_SIGN}&wait=60s`, {
      signal: abort.signal,
    })
    await isWaiting()
    abort.abort()
    await expect(poll).rejects.toThrow(/abort/)
    // Long before the poll would have ended by itself.
    await until(() => node.native.stats().longPolls === 0, 'the long poll is gone', 5_000)
  })

  it('leaves places to other peers', async () => {
    const small = await startNode({ closeMsMax: 200, waitersMax: 4 })
    try {
      const path = `/api/v1/services/orders?since=${EMPTY_SIGN}&wait=60s`
      const waiting = [1, 2, 3].map(() => call(small, 'GET', path))
      await until(() => small.native.stats().longPolls === 3, 'three wait', 5_000)
      const refused = await call(small, 'GET', path)
      expect([refused.status, refused.body.error.details]).toEqual([
        429,
        { quota: 'waitersMax', max: 2, over: 'peer' },
      ])
      await small.close()
      for (const { status } of await Promise.all(waiting)) expect(status).toBe(503)
    } finally {
      await small.close()
    }
  })
})
