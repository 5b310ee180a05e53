/** Registrations that stand by behind another process at the same address. */
import type { ErrorBody } from '@rollcall/wire'
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

const states = (stage: Stage): string[] => stage.all('registration').map((effect) => effect.state)
const settled = (stage: Stage, token: number): string | undefined => {
  const effect = stage.effects.find(
    (item) => (item.type === 'resolve' || item.type === 'reject') && item.token === token,
  )
  return effect?.type === 'reject' ? effect.error.code : effect?.type
}

describe('behind another process at the same address', () => {
  const TAKEN = { code: 'id_taken', message: '', details: { incarnation: 5_000, standby: true } } as const
  const { namespace, service, group } = spec('a')
  const vacant = (stage: Stage, incarnation: number): void =>
    stage.receive({ type: 'vacant', instances: [{ namespace, service, group, id: 'a', incarnation }] })

  function standing(): Stage {
    const stage = connected()
    register(stage, 1, 'a')
    refuse(stage, TAKEN)
    return stage
  }

  it('stands by, which is no refusal, and takes over when it is told', () => {
    const stage = standing()
    expect(settled(stage, 1)).toBe('resolve')
    expect(states(stage)).toEqual(['pending', 'standby'])
    expect(stage.all('registration').some(({ error }) => error !== undefined)).toBe(false)
    stage.clear()
    vacant(stage, 6_000)
    expect(stage.last('register').instances).toMatchObject([{ id: 'a', incarnation: 6_001, state: 'up' }])
    stage.acceptAll()
    expect(states(stage).at(-1)).toBe('up')
  })

  it('keeps its own number where that is above', () => {
    const stage = standing()
    vacant(stage, 1)
    expect(stage.last('register').instances[0]?.incarnation).toBe(BOOT)
  })

  it('takes no number that cannot be exceeded', () => {
    const stage = standing()
    stage.clear()
    vacant(stage, 2 ** 52)
    expect(stage.sent('register')).toEqual([])
  })

  it('stands by when it was superseded, and in any other case it is a conflict', () => {
    const stage = connected()
    register(stage, 1, 'a', 'b')
    stage.acceptAll()
    const item = { namespace, service, group, reason: 'superseded' as const }
    stage.receive({
      type: 'removed',
      instances: [
        { ...item, id: 'a', incarnation: BOOT, standby: true },
        { ...item, id: 'b', incarnation: BOOT + 1 },
      ],
    })
    expect(states(stage).slice(-2)).toEqual(['standby', 'conflict'])
    stage.clear()
    vacant(stage, BOOT)
    expect(stage.sent('register')).toHaveLength(1)
    expect(stage.last('register').instances.map(({ id }) => id)).toEqual(['a'])
  })

  it('asks again by itself, at once on a new connection', () => {
    const stage = standing()
    stage.clear()
    for (let passed = 0; passed < 37_000; passed += 1_000) {
      stage.receive({ type: 'pong', island: false })
      stage.pass(1_000)
    }
    expect(stage.sent('register')).toHaveLength(1)
    refuse(stage, TAKEN)
    stage.clear()
    stage.reconnect()
    expect(stage.sent('register')).toHaveLength(1)
  })

  it('leaves the line when it is taken back, and is deaf to what comes then', () => {
    const stage = standing()
    stage.do({ type: 'deregister', token: 2, handles: [100] })
    expect(stage.last('deregister').instances).toMatchObject([{ id: 'a', incarnation: BOOT }])
    stage.clear()
    vacant(stage, 6_000)
    expect(stage.sent('register')).toEqual([])
  })
})
