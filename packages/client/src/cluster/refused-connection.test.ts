/** Registrations where the node refuses the connection itself, as for a Host that it does not know. */
import { type ErrorBody, signOf } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { instance, spec, Stage } from '../clusters/stage.fixture.js'

function register(stage: Stage, token: number, id: string): void {
  stage.do({ type: 'register', token, items: [{ handle: token, spec: spec(id), intent: 'up' }] })
}

function turnAway(stage: Stage): void {
  const refusal: ErrorBody = { code: 'forbidden_host', message: 'not by that name' }
  stage.do({ type: 'closed', connection: stage.connection, reason: refusal.message, refusal })
}

const states = (stage: Stage): string[] => stage.all('registration').map((effect) => effect.state)
const settled = (stage: Stage, token: number): string | undefined => {
  const effect = stage.effects.find(
    (item) => (item.type === 'resolve' || item.type === 'reject') && item.token === token,
  )
  return effect?.type === 'reject' ? effect.error.code : effect?.type
}

describe('a refused connection', () => {
  it('rejects register() at once, and for as long as it stands', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    register(stage, 1, 'a')
    turnAway(stage)
    expect(settled(stage, 1)).toBe('forbidden_host')
    register(stage, 2, 'b')
    expect(settled(stage, 2)).toBe('forbidden_host')
    expect(stage.machine.status(stage.now)).toMatchObject({
      connection: { state: 'connecting', error: { code: 'forbidden_host' } },
      registrations: 0,
    })
    stage.pass(5_000)
    stage.welcome()
    expect(stage.machine.status(stage.now).connection).not.toHaveProperty('error')
    expect(stage.sent('register')).toEqual([])
  })

  it('rejects what waits for a service that is known from nowhere, now and later, and not what a snapshot knows', () => {
    const KEY = 'default\norders'
    const stage = new Stage({ snapshots: true })
    const ready = (token: number): unknown =>
      stage.do({ type: 'ready', token, key: KEY, timeoutMs: 60_000, call: token === 2 })
    stage.do({ type: 'start' }, { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] })
    ready(1)
    turnAway(stage)
    stage.pass(1_000)
    // The snapshot is still being read.
    expect(settled(stage, 1)).toBeUndefined()
    stage.do({ type: 'snapshot', cluster: 'default', key: KEY })
    expect(settled(stage, 1)).toBe('forbidden_host')
    expect(stage.all('reject')[0]?.error.message).toBe('default: not by that name')
    ready(2)
    expect(settled(stage, 2)).toBe('forbidden_host')

    const known = new Stage({ snapshots: true })
    known.do({ type: 'start' }, { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] })
    known.do({ type: 'ready', token: 1, key: KEY, timeoutMs: 60_000 })
    turnAway(known)
    const list = [instance('a')]
    const stored = { sign: signOf(list), instances: list, ageMs: 60_000 }
    known.do({ type: 'snapshot', cluster: 'default', key: KEY, stored })
    known.pass(1_000)
    expect(settled(known, 1)).toBe('resolve')
  })

  it('rejects what waits when it comes after other failures, and not what waits for a node that may answer', () => {
    const KEY = 'default\norders'
    const stage = new Stage()
    stage.do({ type: 'start' }, { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] })
    stage.do({ type: 'ready', token: 1, key: KEY, timeoutMs: 60_000 })
    stage.do({ type: 'closed', connection: stage.connection, reason: 'ECONNREFUSED' })
    stage.pass(2_000)
    expect(settled(stage, 1)).toBeUndefined()
    turnAway(stage)
    expect(settled(stage, 1)).toBe('forbidden_host')
  })

  it('is told by what waited in vain, as every failure of the connection is', () => {
    const stage = new Stage()
    stage.do({ type: 'start' }, { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] })
    stage.do({ type: 'ready', token: 1, key: 'default\norders', timeoutMs: 1_000 })
    stage.do({ type: 'closed', connection: stage.connection, reason: 'connect ECONNREFUSED 127.0.0.1:7401' })
    stage.pass(1_000)
    expect(stage.all('reject')[0]?.error).toMatchObject({
      code: 'unreachable',
      message:
        'no registry, snapshot or static list knows orders (default: connect ECONNREFUSED 127.0.0.1:7401)',
    })
  })

  it('is no refusal of the cluster while another node may take it', () => {
    const stage = new Stage({ urls: ['ws://a/', 'ws://b/'] })
    stage.do({ type: 'start' })
    register(stage, 1, 'a')
    turnAway(stage)
    expect(settled(stage, 1)).toBeUndefined()
    stage.do({ type: 'closed', connection: stage.connection, reason: 'ECONNREFUSED' })
    turnAway(stage)
    expect(settled(stage, 1)).toBeUndefined()
    stage.pass(1_000)
    turnAway(stage)
    expect(settled(stage, 1)).toBe('forbidden_host')
  })

  it('is a refusal of what was registered, until a node takes it again', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    stage.welcome()
    register(stage, 1, 'a')
    stage.acceptAll()
    stage.do({ type: 'closed', connection: stage.connection, reason: 'lost' })
    stage.pass(1)
    turnAway(stage)
    expect(stage.all('registration').at(-1)).toMatchObject({
      state: 'refused',
      error: { code: 'forbidden_host' },
    })
    stage.pass(1_000)
    turnAway(stage)
    stage.pass(5_000)
    stage.welcome()
    stage.acceptAll()
    expect(states(stage)).toEqual(['pending', 'up', 'refused', 'up'])
  })
})
