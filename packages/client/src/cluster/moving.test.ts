/** From node to node of one cluster. */
import { describe, expect, it } from 'vitest'
import { Stage } from '../clusters/stage.fixture.js'

const url = (address: string): string => `ws://${address}/api/v1/stream`
const A = url('a:1')
const NODES = ['a:1', 'b:1', 'c:1']
const WATCH = { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] } as const

/** A client that knows one node by its configuration, and the others by that. */
function joined(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage({ urls: [A], ...options })
  stage.do({ type: 'start' })
  stage.welcome({ nodes: NODES })
  stage.clear()
  return stage
}

const dialed = (stage: Stage): string[] => stage.all('dial').map((effect) => effect.url.slice(5, -14))
const status = (stage: Stage): unknown => stage.machine.status(stage.now).connection
const lose = (stage: Stage): void =>
  void stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })

/** Time passes on a connection that is alive. */
function live(stage: Stage, connection: number, ms: number, island = false): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    stage.receive({ type: 'pong', island }, connection)
    stage.pass(1_000)
  }
}

describe('a client of several nodes', () => {
  it('learns the nodes from the one it is with, and shows them', () => {
    const stage = joined()
    expect(status(stage)).toMatchObject({ state: 'connected', url: A, nodes: NODES })
    stage.receive({ type: 'nodes', nodes: ['a:1', 'd:1'] })
    expect(status(stage)).toMatchObject({ nodes: ['a:1', 'd:1'] })
    stage.receive({ type: 'nodes', nodes: [] })
    expect(status(stage)).not.toHaveProperty('nodes')
  })

  it('believes what an island says of nodes that left once it is none any more', () => {
    const stage = joined()
    stage.receive({ type: 'pong', island: true })
    stage.receive({ type: 'nodes', nodes: ['a:1', 'd:1'] })
    expect(status(stage)).toMatchObject({ nodes: expect.arrayContaining(NODES) })
    stage.receive({ type: 'pong', island: false })
    expect(status(stage)).toMatchObject({ nodes: ['a:1', 'd:1'] })
  })

  it('goes to another node at once when its own is lost, then round all of them', () => {
    const stage = joined()
    lose(stage)
    expect(dialed(stage)).toHaveLength(1)
    lose(stage)
    lose(stage)
    expect(new Set(dialed(stage))).toEqual(new Set(NODES))
    expect(dialed(stage)[0]).not.toBe('a:1')
    expect(stage.now).toBe(0)
  })

  it('says nothing of registrations to a node before that has said which cluster it is of', () => {
    const stage = joined()
    stage.do(WATCH)
    lose(stage)
    stage.clear()
    stage.do({ type: 'opened', connection: stage.connection })
    expect(stage.all('send').map(({ message }) => message.type)).toEqual(['hello'])
    stage.welcome()
    expect(stage.sent('watch')).toHaveLength(1)
    // The second time at once.
    const first = stage.connection
    lose(stage)
    while (stage.connection === first) stage.pass(10)
    stage.welcome()
    lose(stage)
    stage.pass(3_000)
    stage.clear()
    stage.do({ type: 'opened', connection: stage.connection })
    expect(stage.all('send').map(({ message }) => message.type)).toEqual(['hello', 'watch'])
  })

  it('leaves a node of another cluster, warns once and shows it', () => {
    const stage = joined()
    stage.do(WATCH)
    lose(stage)
    stage.clear()
    const stray = stage.connection
    stage.welcome({ cluster: 'other', nodes: ['x:1'] })
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: stray })])
    expect(stage.sent('watch')).toEqual([])
    const warned = stage.all('log').filter(({ level }) => level === 'warn')
    expect(warned.map(({ message }) => message)).toContain('another cluster answers: its node is not used')
    expect(JSON.stringify(stage.machine.status(stage.now))).toContain(
      'it is a node of \\"other\\", not of c1',
    )
    expect(stage.connection).not.toBe(stray)
    stage.welcome()
    expect(status(stage)).toMatchObject({ state: 'connected', cluster: 'c1' })
  })

  it('goes on with a registry whose only node has another name now', () => {
    const stage = new Stage({ urls: [A] })
    stage.do({ type: 'start' })
    stage.welcome({ cluster: 'before' })
    stage.reconnect()
    expect(status(stage)).toMatchObject({ cluster: 'c1' })
    expect(stage.all('log').map(({ message }) => message)).toContain('the cluster has another name now')
  })

  it('goes where the node says that there is room, and to another where that does not answer', () => {
    const stage = joined()
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 1_000, to: 'c:1' })
    stage.pass(1_000)
    expect(dialed(stage)).toEqual(['c:1'])
    lose(stage)
    stage.pass(1_000)
    expect(dialed(stage)).toEqual(['c:1', 'b:1'])
    stage.welcome({ nodes: ['b:1', 'c:1'] })
    expect(status(stage)).toMatchObject({ url: url('b:1'), nodes: ['b:1', 'c:1'] })
  })

  it('goes to a node that has only just joined, and to nothing that is no address', () => {
    const stage = joined()
    stage.receive({ type: 'goaway', reason: 'rebalance', afterMs: 0, to: 'new:1' })
    stage.pass(1)
    expect(dialed(stage)).toEqual(['new:1'])
    const other = joined()
    other.receive({ type: 'goaway', reason: 'rebalance', afterMs: 0, to: 'b:1/x' })
    other.pass(1)
    expect(dialed(other)).toEqual(['b:1'])
  })

  it('makes room gently, and stays where it is when there is no room elsewhere', () => {
    const stage = joined()
    const first = stage.connection
    stage.receive({ type: 'goaway', reason: 'rebalance', afterMs: 10_000, to: 'b:1' })
    live(stage, first, 3_000)
    expect(dialed(stage)).toEqual([])
    live(stage, first, 3_000)
    expect(dialed(stage)).toEqual(['b:1'])
    for (let attempt = 0; attempt < 10; attempt++) {
      if (stage.connection !== first) lose(stage)
      live(stage, first, 5_000)
    }
    expect(dialed(stage).length).toBeLessThanOrEqual(4)
    expect(stage.all('drop').filter(({ connection }) => connection === first)).toEqual([])
    expect(status(stage)).toMatchObject({ state: 'connected', url: A })
  })

  it('makes no room by going to an island, but leaves a node that stops for one', () => {
    const stage = joined()
    const first = stage.connection
    stage.receive({ type: 'goaway', reason: 'rebalance', afterMs: 0, to: 'b:1' })
    stage.pass(1)
    const second = stage.welcome({ island: true, nodes: NODES })
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: second })])
    stage.clear()
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0, to: 'b:1' }, first)
    stage.pass(1)
    stage.welcome({ island: true, nodes: NODES })
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: first })])
  })

  it('recognises its own node behind another address', () => {
    const stage = new Stage({ urls: ['ws://name/api/v1/stream'] })
    stage.do({ type: 'start' })
    const first = stage.welcome({ node: 'n1', nodes: ['b:1', 'a:1'] })
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0 })
    stage.pass(1)
    const second = stage.welcome({ node: 'n1', nodes: ['a:1', 'b:1'] })
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: second })])
    live(stage, first, 2_000)
    stage.welcome({ node: 'n2', nodes: ['a:1', 'b:1'] })
    expect(stage.all('drop').at(-1)).toMatchObject({ connection: first })
  })

  it('leaves an island for a better node once, and does not go from island to island', () => {
    const stage = joined()
    const first = stage.connection
    let looks = 0
    for (let second = 0; second < 600; second++) {
      const { connection } = stage
      live(stage, first, 1_000, true)
      if (stage.connection === connection) continue
      looks++
      stage.welcome({ island: true, nodes: NODES })
    }
    expect(looks).toBeGreaterThan(15)
    expect(looks).toBeLessThan(25)
    expect(stage.all('drop').every(({ connection }) => connection !== first)).toBe(true)
    expect(new Set(dialed(stage))).toEqual(new Set(['b:1', 'c:1']))
    const { connection } = stage
    while (stage.connection === connection) live(stage, first, 1_000, true)
    stage.welcome({ island: false, nodes: NODES })
    expect(stage.all('drop').at(-1)).toMatchObject({ connection: first })
    stage.clear()
    live(stage, stage.connection, 120_000)
    expect(dialed(stage)).toEqual([])
  })

  it('stays with a node that found the others again while another one was asked', () => {
    const stage = joined()
    const first = stage.connection
    live(stage, first, 2_000, true)
    expect(dialed(stage)).toHaveLength(1)
    stage.receive({ type: 'pong', island: false }, first)
    const second = stage.welcome({ nodes: NODES })
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: second })])
    live(stage, first, 120_000)
    expect(dialed(stage)).toHaveLength(1)
  })

  it('loses one attempt where only the balancer can be reached', () => {
    const stage = joined({ urls: [url('gate:1')] })
    lose(stage)
    expect(dialed(stage)).toHaveLength(1)
    lose(stage)
    expect(dialed(stage)[1]).toBe('gate:1')
    stage.welcome({ node: 'another behind it', nodes: NODES })
    stage.pass(2_000)
    stage.clear()
    lose(stage)
    stage.pass(1_000)
    expect(dialed(stage)).toEqual(['gate:1'])
  })

  it('uses no other node where it must not', () => {
    const stage = joined({ learnNodes: false })
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0, to: 'b:1' })
    stage.pass(1)
    lose(stage)
    stage.pass(10_000)
    expect(new Set(dialed(stage))).toEqual(new Set(['a:1']))
  })

  it('follows a goaway that comes while it looks for a better node than an island', () => {
    const stage = joined()
    const first = stage.connection
    live(stage, first, 2_000, true)
    expect(dialed(stage)).toHaveLength(1)
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0, to: 'c:1' }, first)
    lose(stage)
    stage.pass(1_000)
    expect(dialed(stage)[1]).toBe('c:1')
  })
})
