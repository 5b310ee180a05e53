/** Closing against a scripted node. */
import { describe, expect, it } from 'vitest'
import { spec, Stage } from '../clusters/stage.fixture.js'

function connected(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage(options)
  stage.do({ type: 'start' })
  stage.welcome()
  return stage
}

function register(stage: Stage, token: number, ...ids: string[]): void {
  stage.do({
    type: 'register',
    token,
    items: ids.map((id, index) => ({ handle: token * 100 + index, spec: spec(id), intent: 'up' })),
  })
}

const settled = (stage: Stage, token: number): string | undefined => {
  const effect = stage.effects.find(
    (item) => (item.type === 'resolve' || item.type === 'reject') && item.token === token,
  )
  return effect?.type === 'reject' ? effect.error.code : effect?.type
}

describe('close', () => {
  it('drains, settles, deregisters everything in one message and ends when that is answered', () => {
    const stage = connected()
    register(stage, 1, 'a', 'b')
    stage.acceptAll()
    stage.do({ type: 'close', token: 9 })
    expect(stage.last('register').instances.map((item) => [item.state, item.rev])).toEqual([
      ['draining', 2],
      ['draining', 2],
    ])
    stage.acceptAll()
    stage.pass(999)
    expect(stage.sent('deregister')).toHaveLength(0)
    stage.pass(1)
    expect(stage.sent('deregister')).toHaveLength(1)
    expect(stage.last('deregister').instances).toHaveLength(2)
    expect(settled(stage, 9)).toBeUndefined()
    const { req } = stage.last('deregister')
    stage.receive({
      type: 'deregistered',
      req: req ?? 0,
      removed: [],
      unknown: [],
      superseded: [],
      durability: 'memory',
    })
    expect(settled(stage, 9)).toBe('resolve')
    expect(stage.all('drop')).toHaveLength(1)
    expect(stage.machine.deadline()).toBeUndefined()
  })

  it('is quicker when the node knows that everybody has acknowledged the draining', () => {
    const stage = connected()
    register(stage, 1, 'a', 'b')
    stage.acceptAll()
    stage.do({ type: 'close', token: 9 })
    stage.pass(500)
    expect(stage.sent('settled')).toEqual([])
    stage.acceptAll()
    const answer = (all: boolean): void =>
      stage.receive({ type: 'settled', req: stage.last('settled').req ?? 0, settled: all, seq: 4 })
    expect(stage.last('settled').services).toEqual([
      { namespace: 'default', service: 'orders', group: 'default' },
    ])
    answer(false)
    stage.pass(49)
    expect(stage.sent('settled')).toHaveLength(1)
    expect(stage.last('settled').seq).toBeUndefined()
    stage.pass(1)
    expect(stage.sent('settled')).toHaveLength(2)
    // What happens to the services after the draining is nothing to wait for.
    expect(stage.last('settled').seq).toBe(4)
    answer(true)
    stage.pass(99)
    expect(stage.sent('deregister')).toEqual([])
    stage.pass(1)
    expect(stage.sent('deregister')).toHaveLength(1)
    expect(stage.sent('settled')).toHaveLength(2)
  })

  it('asks again on the next connection, and not a node that does not know the question', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'close', token: 9 })
    stage.acceptAll()
    stage.do({ type: 'closed', connection: stage.connection, reason: 'lost' })
    stage.welcome()
    expect(stage.sent('settled')).toHaveLength(1)
    stage.acceptAll()
    expect(stage.sent('settled')).toHaveLength(2)
    const error = { code: 'invalid_argument', message: 'unknown message type settled' } as const
    stage.receive({ type: 'error', req: stage.last('settled').req ?? 0, error })
    stage.pass(999)
    expect(stage.sent('settled')).toHaveLength(2)
    expect(stage.sent('deregister')).toEqual([])
    stage.pass(1)
    expect(stage.sent('deregister')).toHaveLength(1)
  })

  it('is over at once without registrations', () => {
    const stage = connected()
    stage.do({ type: 'close', token: 9 })
    expect(settled(stage, 9)).toBe('resolve')
  })

  it('ends after 5 s whatever the registry does', () => {
    const stage = connected({ times: { silencePings: 1_000 } })
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'close', token: 9 })
    stage.pass(4_999)
    expect(settled(stage, 9)).toBeUndefined()
    stage.pass(1)
    expect(settled(stage, 9)).toBe('resolve')
  })

  it('does not wait for registries that refuse', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'closed', connection: stage.connection, reason: 'lost' })
    stage.do({ type: 'close', token: 9 })
    stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })
    stage.pass(10)
    expect(settled(stage, 9)).toBe('resolve')
  })

  it('deregisters on the next connection when it loses the one it had', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'close', token: 9 })
    stage.do({ type: 'closed', connection: stage.connection, reason: 'lost' })
    expect(settled(stage, 9)).toBeUndefined()
    stage.welcome()
    stage.pass(1_000)
    expect(stage.sent('deregister')).toHaveLength(1)
  })

  it('waits for the answer of a node it reached after all', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'close', token: 9 })
    stage.do({ type: 'closed', connection: stage.connection, reason: 'lost' })
    stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })
    stage.welcome()
    stage.pass(1_000)
    expect(stage.sent('deregister')).toHaveLength(1)
    expect(settled(stage, 9)).toBeUndefined()
    const answer = { removed: [], unknown: [], superseded: [], durability: 'memory' } as const
    stage.receive({ type: 'deregistered', req: stage.last('deregister').req ?? 0, ...answer })
    expect(settled(stage, 9)).toBe('resolve')
  })

  it('wastes no time on waiting when the registry was away for long', () => {
    const stage = connected({ random: () => 0.999 })
    register(stage, 1, 'a')
    stage.acceptAll()
    for (let attempt = 0; attempt < 12; attempt += 1) {
      stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })
      if (attempt < 11) stage.pass(5_000)
    }
    stage.do({ type: 'close', token: 9 })
    expect(settled(stage, 9)).toBeUndefined()
    stage.do({ type: 'closed', connection: stage.connection, reason: 'refused' })
    expect(settled(stage, 9)).toBe('resolve')
  })

  it('rejects what waits and whatever comes later', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    stage.do({ type: 'watch', names: [{ namespace: 'default', service: 'orders' }] })
    stage.do({ type: 'ready', token: 1, key: 'default\norders', timeoutMs: 5_000 })
    register(stage, 2, 'a')
    stage.do({ type: 'close', token: 9 })
    register(stage, 3, 'b')
    expect([1, 2, 3].map((token) => settled(stage, token))).toEqual(['closed', 'closed', 'closed'])
  })
})
