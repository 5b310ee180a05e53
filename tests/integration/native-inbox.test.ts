/** What a client sends while its requests are under way waits within bounds. */
import type { Socket } from 'node:net'
import { LIMITS } from '@rollcall/wire'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { instance, startNode, type TestNode, until } from './native-node.fixture.js'
import { openStream, type StreamClient } from './stream-client.fixture.js'

let node: TestNode
afterEach(() => node.close())

/** Registrations of some 1,400 bytes each that are read at once: the first is under way when the others come. */
async function flood(count: number): Promise<{ readonly code: number; readonly reason: string } | undefined> {
  node = await startNode({ requestsMax: 1, limits: { ...LIMITS, frameBytesMax: 2_000 } })
  const client = await openStream(node, { perMessageDeflate: false })
  sendAtOnce(client, count)
  const answered = (): boolean => client.messages.filter(({ type }) => type === 'registered').length === count
  await until(
    () => client.closed !== undefined || answered(),
    'all are answered, or the client is cut off',
    5_000,
  )
  return client.closed
}

function sendAtOnce(client: StreamClient, count: number): void {
  const metadata = { note: 'x'.repeat(1_200) }
  // Not public: what is written while it is corked leaves in one piece.
  const socket = Reflect.get(client.ws, '_socket') as Socket
  socket.cork()
  for (let req = 1; req <= count; req++)
    client.send({ type: 'register', req, instances: [instance('a', { metadata, rev: req, incarnation: 1 })] })
  socket.uncork()
}

describe('requests that arrive while others are under way', () => {
  it('wait, and are answered', async () => {
    expect(await flood(4)).toBeUndefined()
  })

  it('are signs of life before their turn comes', async () => {
    node = await startNode({ requestsMax: 1 })
    let commit = (): void => undefined
    const committed = new Promise<'disk'>((resolve) => (commit = () => resolve('disk')))
    node.driver.attach({ append: () => committed })
    const open = node.driver.openSession.bind(node.driver)
    const heard = vi.fn()
    vi.spyOn(node.driver, 'openSession').mockImplementation((options, caller) => {
      const session = open(options, caller)
      vi.spyOn(session, 'heard').mockImplementation(heard)
      return session
    })
    const client = await openStream(node, { perMessageDeflate: false })
    heard.mockClear()
    sendAtOnce(client, 4)
    await until(() => heard.mock.calls.length === 4, 'all four are heard', 5_000)
    expect(client.messages.filter(({ type }) => type === 'registered')).toEqual([])
    commit()
  })

  it('end the connection where they are more than four frames of the largest size together', async () => {
    expect(await flood(12)).toMatchObject({ code: 4429, reason: 'too many requests at once' })
  })
})
