/** Numbers that a registration is driven to by what is, or seems to be, in its way. */
import { describe, expect, it } from 'vitest'
import { BOOT, spec, Stage } from '../clusters/stage.fixture.js'

describe('an incarnation', () => {
  it('is one of the own clock again where the one it was driven to is refused', () => {
    const stage = new Stage()
    stage.do({ type: 'start' })
    stage.welcome()
    const answer = (error: { code: 'superseded' | 'invalid_argument'; details: object }): void => {
      const results = [
        { ok: false as const, error: { message: 'no', ...error, details: { ...error.details } } },
      ]
      stage.receive({ type: 'registered', req: stage.last('register').req ?? 0, results })
    }
    const last = (): unknown => stage.last('register').instances[0]?.incarnation
    stage.do({ type: 'register', items: [{ handle: 1, spec: spec('a'), intent: 'up' }] })
    answer({ code: 'superseded', details: { incarnation: 1e15 } })
    expect(last()).toBe(1e15 + 1)
    // Another node, or this one after all, takes none that is a year ahead.
    answer({ code: 'invalid_argument', details: { incarnationMax: 2e12 } })
    expect(stage.all('registration').at(-1)).toMatchObject({ state: 'refused', incarnation: BOOT + 2 })
    stage.pass(36_000)
    stage.reconnect()
    expect(last()).toBe(BOOT + 2)
    stage.acceptAll()
    expect(stage.all('registration').at(-1)?.state).toBe('up')
  })
})
