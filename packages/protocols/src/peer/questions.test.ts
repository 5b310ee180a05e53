/** Questions over a link in memory: each ends with its answer, in time or not at all. */
import { describe, expect, it } from 'vitest'
import { pair, TestNodes } from './two-nodes.fixture.js'

describe('questions', () => {
  it('are answered with what was asked for', async () => {
    const { nodes, a, b } = pair()
    b.answer = ((_peer: unknown, kind: string) =>
      Promise.resolve(kind === 'probe' ? 'refused' : null)) as never
    const key = { namespace: 'default', service: 's', group: 'default', id: 'x' }
    const asked = a.peers.ask('b', 'explain', key, 500)
    const probed = a.peers.ask(
      'b',
      'probe',
      {
        key,
        incarnation: 1,
        host: '10.0.0.1',
        port: 80,
        purpose: 'evidence',
        timeoutMs: 500,
        delayMs: 0,
        type: 'tcp',
      },
      500,
    )
    await nodes.clock.pass(20)
    expect(await asked).toBeNull()
    expect(await probed).toBe('refused')
  })

  it('time out, are refused beyond a number, and end with the link', async () => {
    const { nodes, a, b } = pair({ questionsMax: 2 })
    b.answer = () => new Promise(() => {})
    const question = { namespace: 'default', service: 's' }
    const codes: string[] = []
    const ask = (timeoutMs: number): void => {
      a.peers
        .ask('b', 'subscribers', question, timeoutMs)
        .catch(({ code }: { code: string }) => codes.push(code))
    }
    ask(100)
    ask(5_000)
    ask(5_000)
    await nodes.clock.pass(50)
    expect(codes).toEqual(['unreachable'])
    await nodes.clock.pass(60)
    expect(codes).toEqual(['unreachable', 'timeout'])
    b.peers.close()
    await nodes.clock.pass(10)
    expect(codes).toEqual(['unreachable', 'timeout', 'unreachable'])
    ask(100)
    await nodes.clock.pass(1)
    expect(codes).toHaveLength(4)
  })

  it('beyond a number are not sent, and not answered', async () => {
    for (const [ours, theirs] of [
      [2, 256],
      [256, 2],
    ] as const) {
      const nodes = new TestNodes()
      const a = nodes.node('a', { options: { questionsMax: ours } })
      const b = nodes.node('b', { options: { questionsMax: theirs } })
      nodes.linked(a, b)
      let reached = 0
      b.answer = () => {
        reached++
        return new Promise(() => {})
      }
      const codes: unknown[] = []
      for (let question = 0; question < 5; question++)
        void a.peers
          .ask('b', 'subscribers', { namespace: 'default', service: 's' }, 5_000)
          .catch(({ code }: { code: string }) => codes.push(code))
      await nodes.clock.pass(50)
      expect([reached, codes]).toEqual([2, ['unreachable', 'unreachable', 'unreachable']])
      const sent = nodes.network.connections[0]?.dialler.sent.filter((text) => text.includes('"ask"'))
      expect(sent).toHaveLength(Math.min(ours, 5))
    }
  })

  it('that fail, and answers that are none, do no harm to the asking node', async () => {
    const { nodes, a, b } = pair()
    b.answer = () => Promise.reject(new Error('broken'))
    const failed = a.peers.ask('b', 'subscribers', { namespace: 'default', service: 's' }, 500)
    const failure = failed.catch((error: unknown) => error)
    await nodes.clock.pass(20)
    expect(await failure).toMatchObject({ code: 'unreachable' })
    expect(b.lines).toHaveLength(1)
    b.answer = (() => Promise.resolve({ subscribers: 'many' })) as never
    const odd = a.peers.ask('b', 'subscribers', { namespace: 'default', service: 's' }, 500)
    const ended = odd.catch((error: unknown) => error)
    await nodes.clock.pass(20)
    expect(await ended).toMatchObject({ code: 'unreachable' })
    expect(a.links).toEqual(['+b', '-b'])
  })
})
