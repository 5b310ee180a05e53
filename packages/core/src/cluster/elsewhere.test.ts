/** What all nodes know together: sums, what is missing, and which publication each node is asked about. */
import type { EventsResponse, Explanation, SubscribersResponse } from '@rollcall/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { createElsewhere, type Elsewhere } from './elsewhere.js'
import type { PeerLinks } from './peers.js'

const NAME = { namespace: 'default', service: 'orders' }
const KEY = { ...NAME, group: 'default', id: 'x' }
const OWN: SubscribersResponse = { subscribers: 3, acknowledged: 3, pollersMs: 0, seq: 7, settled: true }
const THEIRS = { ...OWN, subscribers: 10, acknowledged: 10, seq: 40 }

/** What each node answers; a missing one does not. */
let nodes: Record<string, unknown>
let asked: { readonly node: string; readonly kind: string; readonly question: Record<string, unknown> }[]
let now: number
let revision: number | undefined
let elsewhere: Elsewhere

beforeEach(() => {
  nodes = { b: THEIRS, c: THEIRS }
  asked = []
  now = 1_000
  revision = 50
  const ask = ((node: string, kind: string, question: Record<string, unknown>) => {
    asked.push({ node, kind, question })
    const answer = nodes[node]
    return answer === undefined ? Promise.reject(new Error('timeout')) : Promise.resolve(answer)
  }) as unknown as PeerLinks['ask']
  elsewhere = createElsewhere({
    links: () => ({ ask }),
    nodes: () => [{ node: 'b', name: 'node-b' }, { node: 'c' }],
    now: () => now,
  })
})

const audience = (again = false): Promise<SubscribersResponse> =>
  elsewhere.audience(NAME, OWN, { again, published: () => revision })

describe('subscribers of all nodes', () => {
  it('are summed, and have heard when all have', async () => {
    expect(await audience()).toEqual({
      subscribers: 23,
      acknowledged: 23,
      pollersMs: 0,
      seq: 7,
      settled: true,
    })
    expect(asked.map(({ node, question }) => [node, question])).toEqual([
      ['b', { ...NAME, revision: 50 }],
      ['c', { ...NAME, revision: 50 }],
    ])
  })

  it('have not heard where one has not, or polls', async () => {
    nodes.c = { ...THEIRS, acknowledged: 9, settled: false, pollersMs: 1_200 }
    expect(await audience()).toMatchObject({ acknowledged: 22, pollersMs: 1_200, settled: false })
  })

  it('are not known where a node does not answer', async () => {
    nodes.b = undefined
    expect(await audience()).toEqual({
      subscribers: 13,
      acknowledged: 13,
      pollersMs: 0,
      seq: 7,
      settled: false,
      unanswered: ['b'],
    })
  })

  it('have not heard at a node that has not heard itself, or does not know the service', async () => {
    nodes.b = { ...THEIRS, settled: true, behind: true }
    nodes.c = null
    expect(await audience()).toMatchObject({ subscribers: 13, acknowledged: 3, settled: false })
    expect((await audience()).unanswered).toBeUndefined()
  })

  it('have not heard while the engine lacks the change', async () => {
    revision = undefined
    expect(await audience()).toMatchObject({ subscribers: 23, acknowledged: 3, settled: false })
    expect(asked[0]?.question).toEqual(NAME)
    revision = 51
    expect(await audience(true)).toMatchObject({ settled: true })
    expect(asked[2]?.question).toEqual({ ...NAME, revision: 51 })
  })

  it('are asked about the same publication again, counted from when their node had the change', async () => {
    nodes.c = { ...THEIRS, behind: true }
    await audience()
    now += 300
    nodes.b = { ...THEIRS, seq: 99 }
    nodes.c = THEIRS
    revision = 77
    expect((await audience(true)).settled).toBe(true)
    now += 200
    await audience(true)
    expect(asked.slice(2).map(({ question }) => question)).toEqual([
      { ...NAME, revision: 50, seq: 40, ageMs: 300 },
      { ...NAME, revision: 50 },
      { ...NAME, revision: 50, seq: 40, ageMs: 500 },
      { ...NAME, revision: 50, seq: 40, ageMs: 200 },
    ])
    // Asked without the number it is another question.
    await audience()
    expect(asked.at(-1)?.question).toEqual({ ...NAME, revision: 77 })
  })

  it('are asked anew where too many other questions were asked since', async () => {
    await audience()
    for (let service = 0; service < 1_000; service++)
      await elsewhere.audience({ ...NAME, service: `s${service}` }, OWN, { again: false, published: () => 1 })
    await audience(true)
    expect(asked.at(-1)?.question).toEqual({ ...NAME, revision: 50 })
  })

  it('are none where no peer is linked', async () => {
    const cut = createElsewhere({ links: () => undefined, nodes: () => [{ node: 'b' }], now: () => 0 })
    expect(await cut.audience(NAME, OWN, { again: false, published: () => 1 })).toMatchObject({
      settled: false,
      unanswered: ['b'],
    })
  })
})

describe('whether all have heard', () => {
  const settled = (own = { settled: true, seq: 7 }): Promise<{ settled: boolean; seq: number }> =>
    elsewhere.settled([NAME], own, { again: true, published: () => revision })

  it('is so when it is so at every node', async () => {
    expect(await settled()).toEqual({ settled: true, seq: 7 })
    nodes.c = { ...THEIRS, settled: false }
    expect(await settled()).toEqual({ settled: false, seq: 7 })
    nodes.c = undefined
    expect(await settled()).toEqual({ settled: false, seq: 7 })
    nodes.c = { ...THEIRS, behind: true }
    expect(await settled()).toEqual({ settled: false, seq: 7 })
  })

  it('asks no other node before this one has settled and published', async () => {
    expect(await settled({ settled: false, seq: 7 })).toEqual({ settled: false, seq: 7 })
    revision = undefined
    expect(await settled()).toEqual({ settled: false, seq: 7 })
    expect(asked).toEqual([])
  })
})

describe('an explanation', () => {
  it('says what other nodes have heard, and which of them judges', async () => {
    nodes.b = {
      judge: { node: 'b', claim: 1, own: true },
      evidence: { heardMs: 20, heardBy: 'session', session: { open: true, silentMs: 1 } },
    }
    nodes.c = null
    const own = { summary: 'up' } as Explanation
    expect(await elsewhere.explain(KEY, own)).toEqual({
      summary: 'up',
      elsewhere: [
        { node: 'b', name: 'node-b', heardMs: 20, heardBy: 'session', session: true, judges: true },
        { node: 'c' },
      ],
    })
    nodes = {}
    expect(await elsewhere.explain(KEY, own)).toEqual({ summary: 'up', unanswered: ['b', 'c'] })
  })
})

describe('events', () => {
  it('are those of all nodes in order of their clocks, each with its node, the newest', async () => {
    const at = (second: number): string => new Date(second * 1_000).toISOString()
    const log = (node: string, seconds: readonly number[]): EventsResponse => ({
      node,
      next: seconds.length,
      events: seconds.map(
        (second, index) => ({ seq: index + 1, at: at(second), kind: 'registered' }) as never,
      ),
    })
    nodes = { b: log('b', [2, 2, 9]), c: undefined }
    const all = await elsewhere.events({ ...NAME, limit: 4 }, log('a', [1, 3, 8]))
    expect(all.events.map(({ node, seq }) => `${node}${seq}`)).toEqual(['b2', 'a2', 'a3', 'b3'])
    expect([all.node, all.next, all.unanswered]).toEqual(['a', 3, ['c']])
  })
})
