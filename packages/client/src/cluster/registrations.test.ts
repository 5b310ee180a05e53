/** Registrations against a scripted node. */
import type { ErrorBody, RemoveReason } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { BOOT, spec, Stage } from '../clusters/stage.fixture.js'

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

function refuse(stage: Stage, error: ErrorBody): void {
  const { req, instances } = stage.last('register')
  stage.receive({ type: 'registered', req: req ?? 0, results: instances.map(() => ({ ok: false, error })) })
}

function remove(
  stage: Stage,
  id: string,
  incarnation: number,
  reason: Exclude<RemoveReason, 'expired' | 'replaced'> | 'superseded',
): void {
  const { namespace, service, group } = spec(id)
  stage.receive({ type: 'removed', instances: [{ namespace, service, group, id, incarnation, reason }] })
}

const states = (stage: Stage): string[] => stage.all('registration').map((effect) => effect.state)
const settled = (stage: Stage, token: number): string | undefined => {
  const effect = stage.effects.find(
    (item) => (item.type === 'resolve' || item.type === 'reject') && item.token === token,
  )
  return effect?.type === 'reject' ? effect.error.code : effect?.type
}

describe('registrations', () => {
  it('sends what one turn registers in one message, and resolves when all is accepted', () => {
    const stage = connected()
    stage.do(
      { type: 'register', token: 1, items: [{ handle: 1, spec: spec('a'), intent: 'up' }] },
      { type: 'register', token: 2, items: [{ handle: 2, spec: spec('b'), intent: 'starting' }] },
    )
    expect(stage.sent('register')).toHaveLength(1)
    expect(
      stage.last('register').instances.map((item) => [item.id, item.state, item.incarnation, item.rev]),
    ).toEqual([
      ['a', 'up', BOOT, 1],
      ['b', 'starting', BOOT + 1, 1],
    ])
    expect(settled(stage, 1)).toBeUndefined()
    stage.acceptAll()
    expect([settled(stage, 1), settled(stage, 2)]).toEqual(['resolve', 'resolve'])
    expect(states(stage)).toEqual(['pending', 'pending', 'up', 'starting'])
  })

  it('resolves as pending after 3 s without a registry and goes on trying', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    register(stage, 1, 'a')
    stage.pass(2_999)
    expect(settled(stage, 1)).toBeUndefined()
    stage.pass(1)
    expect(settled(stage, 1)).toBe('resolve')
    expect(states(stage)).toEqual(['pending'])
    stage.welcome()
    stage.acceptAll()
    expect(states(stage)).toEqual(['pending', 'up'])
  })

  it('registers all again on a new connection, unchanged', () => {
    const stage = connected()
    register(stage, 1, 'a', 'b')
    stage.acceptAll()
    stage.reconnect()
    expect(stage.sent('register')).toHaveLength(2)
    expect(stage.sent('register')[1]?.instances).toEqual(stage.sent('register')[0]?.instances)
  })

  it('asks again when an answer does not come', () => {
    const stage = connected()
    register(stage, 1, 'a')
    for (let time = 0; time < 11_000; time += 1_000) {
      stage.receive({ type: 'pong', island: false })
      stage.pass(1_000)
    }
    expect(stage.sent('register')).toHaveLength(2)
  })

  it('keeps to the bounds of the node', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    stage.welcome({ batchItemsMax: 2, frameBytesMax: 100_000 })
    register(stage, 1, 'a', 'b', 'c', 'd', 'e')
    expect(stage.sent('register').map((message) => message.instances.length)).toEqual([2, 2, 1])
  })

  it('has no more than 1,024 requests wait for an answer, and goes on when one has come', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    stage.welcome({ batchItemsMax: 1 })
    register(stage, 1, ...Array.from({ length: 1_030 }, (_, n) => `i${n}`))
    expect(stage.sent('register')).toHaveLength(1_024)
    stage.acceptAll()
    stage.do({ type: 'tick' })
    expect(stage.sent('register').length).toBeGreaterThan(1_024)
  })

  it('halves a batch that the node finds too large', () => {
    const stage = connected()
    register(stage, 1, 'a', 'b', 'c', 'd')
    stage.receive({
      type: 'error',
      req: stage.last('register').req ?? 0,
      error: { code: 'body_too_large', message: '' },
    })
    expect(stage.sent('register').map((message) => message.instances.length)).toEqual([4, 2, 2])
  })

  it('rejects what is refused and leaves nothing of the call behind', () => {
    const stage = connected()
    register(stage, 1, 'a', 'b')
    const { req } = stage.last('register')
    stage.receive({
      type: 'registered',
      req: req ?? 0,
      results: [
        { ok: true, service: 'orders', group: 'default', id: 'a', incarnation: BOOT, durability: 'memory' },
        { ok: false, error: { code: 'service_not_declared', message: 'no' } },
      ],
    })
    expect(settled(stage, 1)).toBe('service_not_declared')
    expect(stage.last('deregister').instances).toEqual([
      { service: 'orders', group: 'default', id: 'a', incarnation: BOOT },
    ])
    stage.reconnect()
    expect(stage.sent('register')).toHaveLength(1)
  })

  it('refuses a second registration of the same id in one client', () => {
    const stage = connected()
    register(stage, 1, 'a')
    register(stage, 2, 'a')
    expect(settled(stage, 2)).toBe('id_taken')
    register(stage, 3, 'b', 'b')
    expect(settled(stage, 3)).toBe('id_taken')
  })

  it('raises its incarnation above a dead predecessor at once', () => {
    const stage = connected()
    register(stage, 1, 'a')
    refuse(stage, { code: 'superseded', message: '', details: { incarnation: 5_000 } })
    expect(stage.last('register').instances[0]?.incarnation).toBe(5_001)
    stage.acceptAll()
    expect(settled(stage, 1)).toBe('resolve')
    // The number was of that id: on others it could be too high to be accepted.
    register(stage, 2, 'b')
    expect(stage.last('register').instances[0]?.incarnation).toBe(BOOT + 2)
  })

  it('gives up on an id whose incarnation it cannot exceed, and says so', () => {
    const stage = connected()
    register(stage, 1, 'a')
    const details = { incarnation: Number.MAX_SAFE_INTEGER }
    refuse(stage, { code: 'superseded', message: '', details })
    expect(settled(stage, 1)).toBe('superseded')
    expect(stage.sent('register')).toHaveLength(1)
  })

  it('does not raise for ever against a process that raises too', () => {
    const stage = connected()
    register(stage, 1, 'a')
    for (let raise = 0; raise < 50; raise += 1) {
      const before = stage.sent('register').length
      refuse(stage, { code: 'superseded', message: '', details: { incarnation: 5_000 + raise * 10 } })
      if (stage.sent('register').length === before) break
    }
    expect(stage.sent('register').length).toBeLessThan(6)
  })

  it('never raises against a live process: the first call rejects, later ones wait 30 s', () => {
    const taken = { code: 'id_taken', message: '', details: { incarnation: 5_000 } } as const
    const first = connected()
    register(first, 1, 'a')
    refuse(first, taken)
    expect(settled(first, 1)).toBe('id_taken')
    expect(first.sent('deregister')).toHaveLength(0)

    const later = connected()
    register(later, 1, 'a')
    later.acceptAll()
    later.reconnect()
    refuse(later, taken)
    expect(states(later).at(-1)).toBe('conflict')
    const count = later.sent('register').length
    later.pass(8_000)
    expect(later.sent('register')).toHaveLength(count)
  })

  it('does not fight a process that took over the id, and returns when that one is dead', () => {
    const stage = connected({ times: { silencePings: 1_000 } })
    register(stage, 1, 'a')
    stage.acceptAll()
    remove(stage, 'a', BOOT, 'superseded')
    expect(states(stage).at(-1)).toBe('conflict')
    stage.pass(29_000)
    expect(stage.sent('register')).toHaveLength(1)
    stage.pass(7_000)
    expect(stage.last('register').instances[0]?.incarnation).toBe(BOOT)
    refuse(stage, { code: 'superseded', message: '', details: { incarnation: 9_000 } })
    expect(stage.last('register').instances[0]?.incarnation).toBe(9_001)
    stage.acceptAll()
    expect(states(stage).at(-1)).toBe('up')
  })

  it('registers anew, with a new incarnation, a minute after it was deregistered from outside', () => {
    const stage = connected({ times: { silencePings: 1_000 } })
    register(stage, 1, 'a')
    stage.acceptAll()
    remove(stage, 'a', BOOT, 'deregistered')
    expect(stage.all('registration').slice(-2)).toMatchObject([
      { state: 'removed', incarnation: BOOT, error: { code: 'deregistered' } },
      { state: 'removed', incarnation: BOOT + 1 },
    ])
    expect(stage.all('registration').at(-1)).not.toHaveProperty('error')
    stage.pass(47_000)
    expect(stage.sent('register')).toHaveLength(1)
    stage.pass(25_000)
    expect(stage.last('register').instances[0]?.incarnation).toBe(BOOT + 1)
    stage.acceptAll()
    expect(states(stage).at(-1)).toBe('up')
  })

  it('holds off in the same way when it learns of the removal on reconnecting', () => {
    const stage = connected({ times: { silencePings: 1_000 } })
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.reconnect()
    refuse(stage, { code: 'deregistered', message: '', details: { incarnation: BOOT } })
    expect(states(stage).at(-1)).toBe('removed')
    stage.pass(40_000)
    expect(stage.sent('register')).toHaveLength(2)
  })

  it('ignores the removal of another incarnation', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    remove(stage, 'a', BOOT - 1, 'deregistered')
    expect(states(stage).at(-1)).toBe('up')
  })

  it('sends an update with a higher rev and resolves it when that is accepted', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'update', token: 2, handle: 100, patch: { weight: 7 } })
    expect(stage.last('register').instances[0]).toMatchObject({ weight: 7, rev: 2, incarnation: BOOT })
    expect(settled(stage, 2)).toBeUndefined()
    stage.acceptAll()
    expect(settled(stage, 2)).toBe('resolve')
  })

  it('does not take the answer for one incarnation as one for the next', () => {
    const stage = connected()
    register(stage, 1, 'a')
    const first = stage.last('register').req ?? 0
    stage.do({ type: 'update', token: 2, handle: 100, patch: { weight: 7 } })
    const second = stage.last('register').req ?? 0
    const error = { code: 'superseded', message: '', details: { incarnation: 5_000 } } as const
    stage.receive({ type: 'registered', req: first, results: [{ ok: false, error }] })
    expect(stage.last('register').instances[0]?.incarnation).toBe(5_001)
    stage.receive({ type: 'registered', req: second, results: [{ ok: false, error }] })
    expect(stage.last('register').instances[0]?.incarnation).toBe(5_001)
    stage.acceptAll()
    expect([settled(stage, 1), settled(stage, 2)]).toEqual(['resolve', 'resolve'])
  })

  it('falls back to what was registered when an update is refused', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'update', token: 2, handle: 100, patch: { metadata: { k: 'too much' } } })
    refuse(stage, { code: 'invalid_argument', message: '' })
    expect(settled(stage, 2)).toBe('invalid_argument')
    expect(stage.last('register').instances[0]).toMatchObject({ rev: 3 })
    expect(stage.last('register').instances[0]).not.toHaveProperty('metadata')
    stage.acceptAll()
    expect(states(stage).at(-1)).toBe('up')
  })

  it('waits out the troubles of a node', () => {
    const stage = connected()
    register(stage, 1, 'a')
    refuse(stage, { code: 'not_ready', message: '' })
    expect(settled(stage, 1)).toBeUndefined()
    stage.pass(1_000)
    expect(stage.sent('register').length).toBeGreaterThan(1)
    stage.acceptAll()
    expect(settled(stage, 1)).toBe('resolve')
  })

  it('asks slowly again when a registration that stood is refused', () => {
    const stage = connected({ times: { silencePings: 1_000 } })
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.reconnect()
    refuse(stage, { code: 'limit_exceeded', message: '' })
    expect(states(stage).at(-1)).toBe('refused')
    stage.pass(40_000)
    stage.acceptAll()
    expect(states(stage).at(-1)).toBe('up')
  })

  it('deregisters, and says it again on a new connection until it is answered', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'deregister', token: 2, handles: [100] })
    stage.reconnect()
    expect(stage.sent('deregister')).toHaveLength(2)
    expect(stage.sent('register')).toHaveLength(1)
    expect(settled(stage, 2)).toBeUndefined()
    const { req } = stage.last('deregister')
    stage.receive({
      type: 'deregistered',
      req: req ?? 0,
      removed: [],
      unknown: [],
      superseded: [],
      durability: 'memory',
    })
    expect(settled(stage, 2)).toBe('resolve')
    stage.reconnect()
    expect(stage.sent('deregister')).toHaveLength(2)
  })

  it('says a deregistration that was refused again, and not at once', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'deregister', token: 2, handles: [100] })
    const error = { code: 'not_ready', message: 'loading' } as const
    stage.receive({ type: 'error', req: stage.last('deregister').req ?? 0, error })
    stage.pass(1_000)
    expect(stage.sent('deregister')).toHaveLength(1)
    stage.receive({ type: 'pong', island: false })
    stage.pass(2_500)
    stage.receive({ type: 'pong', island: false })
    stage.pass(2_500)
    expect(stage.sent('deregister')).toHaveLength(2)
  })

  it('needs no registry to take back what was never sent', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    register(stage, 1, 'a')
    stage.do({ type: 'deregister', token: 2, handles: [100] })
    expect(settled(stage, 2)).toBe('resolve')
    stage.welcome()
    expect(stage.sent('register')).toHaveLength(0)
    expect(stage.sent('deregister')).toHaveLength(0)
  })

  it('can register an id again after deregistering it, with a higher incarnation and in this order', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.clear()
    stage.effects.push({ type: 'dial', cluster: 'default', connection: 1, url: '' })
    stage.do(
      { type: 'deregister', token: 2, handles: [100] },
      { type: 'register', token: 3, items: [{ handle: 300, spec: spec('a'), intent: 'up' }] },
    )
    expect(stage.all('send').map((effect) => effect.message.type)).toEqual(['deregister', 'register'])
    expect(stage.last('register').instances[0]?.incarnation).toBe(BOOT + 1)
  })

  it('takes back what an aborted call had sent', () => {
    const stage = connected()
    register(stage, 1, 'a')
    stage.do({ type: 'abandon', token: 1 })
    expect(stage.sent('deregister')).toHaveLength(1)
    expect(settled(stage, 1)).toBeUndefined()
  })
})
