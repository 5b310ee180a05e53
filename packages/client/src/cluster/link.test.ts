/** The connection to a cluster. */
import { describe, expect, it } from 'vitest'
import { instance, Stage, view } from '../clusters/stage.fixture.js'

function started(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage(options)
  stage.do({ type: 'start' })
  return stage
}

const WATCH = { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] } as const

describe('link', () => {
  it('says hello first, and everything else before the welcome', () => {
    const stage = started()
    stage.do(WATCH)
    expect(stage.sent('watch')).toHaveLength(0)
    stage.do({ type: 'opened', connection: stage.connection })
    expect(stage.all('send').map((effect) => effect.message.type)).toEqual(['hello', 'watch'])
  })

  it('warns when no node can be reached and when one is lost, and as loudly, once, when one is there again', () => {
    const stage = started()
    const told = (): string[] => {
      const lines = stage.all('log').map(({ level, message }) => `${level} ${message}`)
      stage.clear()
      return lines
    }
    stage.welcome()
    expect(told()).toEqual(['info registry connected'])
    stage.reconnect()
    expect(told()).toEqual(['warn registry connection lost', 'warn registry connected'])
    const other = started()
    for (let attempt = 0; attempt < 3; attempt++) {
      other.do({ type: 'closed', connection: other.connection, reason: 'ECONNREFUSED' })
      other.pass(6_000)
    }
    other.welcome()
    const lines = other.all('log').filter(({ level }) => level === 'warn')
    expect(lines.map(({ message }) => message)).toEqual(['registry not reached', 'registry connected'])
  })

  it('warns of a refusal once, also when other failures came before', () => {
    const stage = started()
    const refusal = { code: 'forbidden_host', message: 'not by that name' } as const
    const end = (more: { readonly refusal?: typeof refusal }): void => {
      stage.do({ type: 'closed', connection: stage.connection, reason: 'x', ...more })
      stage.pass(2_000)
    }
    end({})
    for (let attempt = 0; attempt < 3; attempt++) end({ refusal })
    const warned = stage.all('log').filter(({ level }) => level === 'warn')
    expect(warned.map(({ message }) => message)).toEqual([
      'registry not reached',
      'registry refuses the connection',
    ])
  })

  it('keeps the last error, with when it was, also when a node is connected again', () => {
    const stage = started()
    expect(stage.machine.status(0)).not.toHaveProperty('lastError')
    stage.pass(1_000)
    stage.do({ type: 'closed', connection: stage.connection, reason: 'connect ECONNREFUSED 127.0.0.1:7400' })
    stage.pass(2_000)
    const error = {
      code: 'unreachable',
      message: 'connect ECONNREFUSED 127.0.0.1:7400',
      url: 'ws://default/',
      at: 1_700_000_000_000 - 2_000,
    }
    const status = (): unknown => stage.machine.status(stage.now, 1_700_000_000_000)
    expect(status()).toMatchObject({ lastError: error, connection: { lastError: error } })
    stage.welcome()
    expect(status()).toMatchObject({ connection: { state: 'connected', lastError: error } })
    stage.do({ type: 'closed', connection: stage.connection, code: 4429, reason: '' })
    expect(status()).toMatchObject({
      lastError: { code: 'limit_exceeded', message: 'the connection ended', at: 1_700_000_000_000 },
    })
  })

  it('stays alone without registries', () => {
    const stage = started({ urls: [] })
    stage.pass(60_000)
    expect(stage.all('dial')).toHaveLength(0)
    expect(stage.machine.status(0).connection).toEqual({ state: 'offline', failures: 0 })
  })

  it('tries again at once, then ever more slowly up to 5 s, and never stops', () => {
    const stage = started({ random: () => 0.999 })
    const times: number[] = []
    for (let attempt = 0; attempt < 20; attempt += 1) {
      times.push(stage.now)
      const { connection } = stage
      stage.do({ type: 'closed', connection, reason: 'refused' })
      while (stage.connection === connection)
        stage.pass(Math.max(1, (stage.machine.deadline() ?? 0) - stage.now))
    }
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(waits[0]).toBeLessThanOrEqual(1)
    expect(waits[1]).toBeGreaterThanOrEqual(100)
    expect(waits[1]).toBeLessThanOrEqual(201)
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_001)
    expect(waits.at(-1)).toBeGreaterThan(4_000)
  })

  it('tries a node that welcomes and closes at once ever more slowly', () => {
    const stage = started({ random: () => 0.999 })
    const waits: number[] = []
    for (let round = 0; round < 10; round += 1) {
      const connection = stage.welcome()
      const before = stage.now
      stage.do({ type: 'closed', connection, reason: 'lost' })
      while (stage.connection === connection)
        stage.pass(Math.max(1, (stage.machine.deadline() ?? 0) - stage.now))
      waits.push(Math.round(stage.now - before))
    }
    expect(waits.at(-1)).toBeGreaterThan(4_000)
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  })

  it('spreads the attempts of many clients over the whole wait', () => {
    const waits = [0, 0.5, 0.999].map((chance) => {
      const stage = started({ random: () => chance })
      for (let attempt = 0; attempt < 12; attempt += 1) {
        stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })
        const { connection } = stage
        if (attempt === 11) break
        while (stage.connection === connection)
          stage.pass(Math.max(1, (stage.machine.deadline() ?? 0) - stage.now))
      }
      return (stage.machine.deadline() ?? 0) - stage.now
    })
    expect(waits[0]).toBeLessThan(200)
    expect(waits[1]).toBeGreaterThan(2_000)
    expect(waits[1]).toBeLessThan(3_000)
    expect(waits[2]).toBeGreaterThan(4_500)
  })

  it('goes round all nodes at once before it waits', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/', 'ws://c/'] })
    for (let attempt = 0; attempt < 3; attempt += 1) {
      stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })
    }
    const urls = stage.all('dial').map((effect) => effect.url)
    expect(urls).toHaveLength(4)
    expect(new Set(urls.slice(0, 3)).size).toBe(3)
    stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })
    expect(stage.all('dial')).toHaveLength(4)
  })

  it('gives up on a node that does not welcome it in time', () => {
    const stage = started()
    stage.do({ type: 'opened', connection: stage.connection })
    stage.pass(2_999)
    expect(stage.all('drop')).toHaveLength(0)
    stage.pass(1)
    expect(stage.all('drop')).toHaveLength(1)
    expect(stage.all('dial')).toHaveLength(2)
  })

  it('has more patience once no node of a round has answered, until one does', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'], random: () => 0 })
    const waits = (count: number): number[] =>
      Array.from({ length: count }, () => {
        const [from, dials] = [stage.now, stage.all('dial').length]
        while (stage.all('dial').length === dials) stage.pass(100)
        return stage.now - from
      })
    expect(waits(2)).toEqual([3_000, 3_000])
    // With the pause that follows a round.
    expect(waits(6)).toEqual([6_100, 6_100, 12_100, 12_100, 12_100, 12_100])
    stage.welcome()
    stage.do({ type: 'closed', connection: stage.connection, reason: '' })
    stage.pass(200)
    expect(waits(1)).toEqual([3_000])
  })

  it('pings when it has nothing else to say', () => {
    const stage = started()
    stage.welcome({ pingMs: 1_000 })
    for (let second = 0; second < 5; second += 1) {
      stage.pass(1_000)
      stage.receive({ type: 'pong', island: false })
    }
    expect(stage.sent('ping')).toHaveLength(5)
  })

  it('drops a stream that is silent for three pings and dials at once', () => {
    const stage = started()
    stage.welcome({ pingMs: 1_000 })
    stage.pass(2_999)
    expect(stage.all('drop')).toHaveLength(0)
    stage.pass(1)
    // The node may hear this client still, and shall not take the end of the stream for the end of the process.
    expect(stage.all('drop')).toEqual([expect.objectContaining({ code: 1_000, reason: 'moved' })])
    expect(stage.all('dial')).toHaveLength(2)
  })

  it('tells a node that does not welcome it in time that it lives, for it may have registered there', () => {
    const stage = started()
    stage.do({ type: 'opened', connection: stage.connection })
    stage.pass(3_000)
    expect(stage.all('drop')).toEqual([expect.objectContaining({ code: 1_000, reason: 'moved' })])
    const [log] = stage.all('log').filter(({ level }) => level === 'warn')
    expect(log?.fields).toMatchObject({ reason: 'no answer in time' })
  })

  it('does not blame the node for its own standing still', () => {
    const stage = started()
    stage.welcome({ pingMs: 1_000 })
    // The process was stopped: the tick comes a minute late, what arrived meanwhile is not read yet.
    stage.now += 60_000
    stage.do({ type: 'tick' })
    expect(stage.all('drop')).toHaveLength(0)
    stage.receive({ type: 'pong', island: false })
    stage.pass(1_500)
    expect(stage.all('drop')).toHaveLength(0)
  })

  it('ignores connections it has let go', () => {
    const stage = started()
    const old = stage.welcome()
    stage.do({ type: 'closed', connection: old, reason: 'lost' })
    stage.clear()
    stage.receive({ type: 'pong', island: true }, old)
    stage.do({ type: 'closed', connection: old, reason: 'again' })
    expect(stage.effects).toEqual([])
  })

  it('opens a session elsewhere before it leaves a node that says goaway', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    const first = stage.welcome()
    stage.do(WATCH)
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 10_000 })
    expect(stage.all('dial')).toHaveLength(1)
    stage.pass(4_001)
    expect(new Set(stage.all('dial').map((effect) => effect.url)).size).toBe(2)
    expect(stage.all('drop')).toHaveLength(0)
    const second = stage.welcome()
    expect(
      stage.all('send').filter((effect) => effect.connection === second && effect.message.type === 'watch'),
    ).toHaveLength(1)
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: first })])
  })

  it('keeps the old session until the registrations are accepted on the new one', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    stage.welcome()
    stage.do({ type: 'register', token: 1, items: [{ handle: 1, spec: SPEC, intent: 'up' }] })
    stage.acceptAll()
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0 })
    stage.welcome()
    expect(stage.all('drop')).toHaveLength(0)
    stage.acceptAll()
    expect(stage.all('drop')).toHaveLength(1)
    expect(stage.sent('register')[1]?.instances[0]).toEqual(stage.sent('register')[0]?.instances[0])
  })

  it('is done with the old session when that is lost before all is said again', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    const first = stage.welcome()
    stage.do({ type: 'register', token: 1, items: [{ handle: 1, spec: SPEC, intent: 'up' }] })
    stage.acceptAll()
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0 })
    stage.welcome()
    stage.do({ type: 'closed', connection: first, reason: 'lost' })
    expect(stage.all('dial')).toHaveLength(2)
    stage.acceptAll()
    expect(stage.all('drop')).toEqual([])
    expect(stage.machine.status(stage.now).connection).toMatchObject({ state: 'connected' })
  })

  it('goes on with the successor when the old session is lost before that one is welcomed', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    const first = stage.welcome()
    stage.do(WATCH)
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0 })
    const second = stage.connection
    expect(second).not.toBe(first)
    stage.do({ type: 'closed', connection: first, reason: 'lost' })
    expect(stage.all('dial')).toHaveLength(2)
    stage.welcome({}, second)
    const watches = stage.all('send').filter(({ message }) => message.type === 'watch')
    expect(watches.map(({ connection }) => connection)).toEqual([first, second])
    expect(stage.machine.status(stage.now).connection).toMatchObject({ state: 'connected' })
  })

  it('goes on looking for another node while the one it has wants to be left', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    const first = stage.welcome()
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0 })
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const { connection } = stage
      expect(connection).not.toBe(first)
      stage.do({ type: 'closed', connection, reason: 'refused' })
      stage.receive({ type: 'pong', island: false }, first)
      stage.pass(1_000)
      expect(stage.connection).not.toBe(connection)
    }
  })

  it('is not chased around by a cluster in which every node sends everybody away at once', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    for (let second = 0; second < 60; second += 1) {
      for (let answer = 0; answer < 100; answer += 1) {
        const { connection } = stage
        stage.welcome()
        stage.receive({ type: 'goaway', reason: 'full', afterMs: 0 })
        if (stage.connection === connection) break
      }
      stage.pass(1_000)
    }
    expect(stage.all('dial').length).toBeLessThan(60)
    expect(stage.all('dial').length).toBeGreaterThan(5)
  })

  it('pings as often as a node wants within reason, and is welcomed once', () => {
    const stage = started()
    stage.welcome({ pingMs: 1e300 })
    stage.welcome({ pingMs: 0 })
    stage.clear()
    stage.pass(59_000)
    expect(stage.sent('ping')).toHaveLength(0)
    stage.pass(2_000)
    expect(stage.sent('ping')).toHaveLength(1)
  })

  it('hears nothing more from the connection it left', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    const first = stage.welcome()
    stage.do(WATCH, { type: 'register', token: 1, items: [{ handle: 1, spec: SPEC, intent: 'up' }] })
    stage.acceptAll()
    stage.receive({ type: 'goaway', reason: 'stopping', afterMs: 0 })
    stage.welcome()
    stage.receive(view([instance('old')]), first)
    expect(stage.all('list')).toHaveLength(0)
    stage.receive(view([instance('new')]))
    expect(stage.all('list')).toHaveLength(1)
  })

  it('prefers a node that is not an island, and stays where it is when all are', () => {
    const stage = started({ urls: ['ws://a/', 'ws://b/'] })
    const first = stage.welcome({ island: true })
    stage.pass(1_000)
    expect(stage.all('dial')).toHaveLength(2)
    const second = stage.welcome({ island: true })
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: second })])
    stage.clear()
    while (stage.all('dial').length === 0) {
      stage.receive({ type: 'pong', island: true }, first)
      stage.pass(1_000)
    }
    stage.welcome({ island: false })
    expect(stage.all('drop')).toEqual([expect.objectContaining({ connection: first })])
  })

  it('backs off at once from a node that turns it away', () => {
    const stage = started()
    stage.welcome()
    stage.do({ type: 'closed', connection: stage.connection, code: 4429, reason: 'limit' })
    expect(stage.all('dial')).toHaveLength(1)
    stage.pass(5_000)
    expect(stage.all('dial').length).toBeGreaterThan(1)
  })
})

const SPEC = {
  namespace: 'default',
  service: 'orders',
  group: 'default',
  id: 'a',
  host: '10.0.0.9',
  port: 80,
}
