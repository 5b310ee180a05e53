/** Questions between members whose engine is real in all but its network: a change is heard when all nodes have it. */
import { createElsewhere, type Elsewhere, type PeerNode, type Update } from '@rollcall/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { command, PEER, register } from '../driver/node-driver.fixture.js'
import { TestCluster, type TestNode } from './members.fixture.js'
import { createPeerAnswers } from './peer-answers.js'

const NAME = { namespace: 'default', service: 'orders' }
const KEY = { ...NAME, group: 'default', id: 'a' }

let cluster: TestCluster
let a: TestNode
let b: TestNode
let elsewhere: Elsewhere

/** What a node asks, and the other one answers, without a link between them. */
function asking(from: TestNode, to: TestNode): Elsewhere {
  const answer = createPeerAnswers({
    registry: to.driver,
    prober: { probe: (_, callback) => callback('refused') },
    followed: () => to.member.followed,
  })
  const peer: PeerNode = { node: from.node, address: '', version: '' }
  return createElsewhere({
    links: () => ({ ask: (_, kind, question) => answer(peer, kind, question) }),
    nodes: () => from.member.others,
    now: () => cluster.clock.now(),
  })
}

/** A subscriber that applies what it is sent at once. */
function subscribe({ driver }: TestNode): { readonly updates: Update[] } {
  const updates: Update[] = []
  const subscription = driver.subscribe(
    {
      deliver(update) {
        updates.push(update)
        queueMicrotask(() => subscription.ack(update.seq))
      },
    },
    PEER,
  )
  subscription.watch([NAME])
  return { updates }
}

const settled = async (seq?: number): Promise<{ settled: boolean; seq: number }> => {
  const read = a.driver.read(PEER)
  const own = read.settled([NAME], seq)
  return elsewhere.settled([NAME], own, {
    again: seq !== undefined,
    published: () => read.publishedAt([NAME]),
  })
}

beforeEach(async () => {
  cluster = new TestCluster()
  a = cluster.start('a')
  b = cluster.start('b')
  await cluster.clock.pass(3_000)
  elsewhere = asking(a, b)
  await register(a.driver, [command()], PEER)
  await cluster.clock.pass(1_000)
})

describe('a change', () => {
  it('is heard by all when the engine has it, the other node has followed, and its subscribers too', async () => {
    const { updates } = subscribe(b)
    await cluster.clock.pass(500)
    const first = await settled()
    expect(first.settled).toBe(true)
    b.engine.line.cut()
    await register(a.driver, [command({ intent: 'draining' })], PEER)
    await cluster.clock.pass(100)
    const { seq, settled: soon } = await settled()
    expect(soon).toBe(false)
    await cluster.clock.pass(500)
    expect((await settled(seq)).settled).toBe(false)
    expect(updates.at(-1)?.kind).toBe('view')
    b.engine.line.heal()
    await cluster.clock.pass(5_000)
    expect(updates.at(-1)?.kind).toBe('delta')
    expect((await settled(seq)).settled).toBe(true)
  })

  it('that the engine does not have is heard by no other node', async () => {
    a.engine.line.cut()
    await register(a.driver, [command({ intent: 'draining' })], PEER)
    await cluster.clock.pass(100)
    expect(a.driver.read(PEER).publishedAt([NAME])).toBeUndefined()
    expect((await settled()).settled).toBe(false)
  })
})

describe('what is asked of another node', () => {
  it('is answered by what it knows', async () => {
    const own = a.driver.read(PEER).explain(KEY)
    if (own === undefined) throw new Error('not known')
    expect((await elsewhere.explain(KEY, own)).elsewhere).toEqual([{ node: b.node, name: 'b' }])
    const audience = a.driver.read(PEER).audience(NAME, {})
    if (audience === undefined) throw new Error('not known')
    subscribe(b)
    await cluster.clock.pass(100)
    expect(await elsewhere.audience(NAME, audience, { again: false, published: () => 0 })).toMatchObject({
      subscribers: 1,
      acknowledged: 1,
      settled: true,
    })
    expect(
      await elsewhere.audience({ ...NAME, service: 'unknown' }, audience, {
        again: false,
        published: () => 0,
      }),
    ).toMatchObject({ subscribers: 0, settled: false })
    const events = await elsewhere.events({ ...NAME, limit: 10 }, a.driver.read(PEER).events(NAME))
    expect(events.events.map(({ node, kind }) => [node, kind])).toEqual(
      expect.arrayContaining([[a.node, 'registered']]),
    )
  })

  it('is a probe', async () => {
    const answer = createPeerAnswers({
      registry: b.driver,
      prober: { probe: (_, callback) => callback('refused') },
      followed: () => 0,
    })
    const request = {
      key: KEY, incarnation: 1, host: '10.0.0.1', port: 1, purpose: 'evidence', type: 'tcp', timeoutMs: 1, delayMs: 0,
    } as const // prettier-ignore
    expect(await answer({ node: 'a', address: '', version: '' }, 'probe', request)).toBe('refused')
  })
})
