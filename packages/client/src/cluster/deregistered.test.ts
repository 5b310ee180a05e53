/** How long calls wait for a service whose last instance was deregistered. */
import { describe, expect, it } from 'vitest'
import { delta, instance, Stage, view } from '../clusters/stage.fixture.js'

const KEY = 'default\norders'
const WATCH = { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] } as const
const A = instance('a')
const B = instance('b')

function connected(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage(options)
  stage.do({ type: 'start' }, WATCH)
  stage.welcome()
  return stage
}

/** Passes time on a connection that is alive. */
function live(stage: Stage, ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    stage.receive({ type: 'pong', island: false })
    stage.pass(Math.min(1_000, ms - passed))
  }
}

describe('a call to a service that has left', () => {
  const call = (token: number) => ({ type: 'ready', token, key: KEY, timeoutMs: 5_000, call: true }) as const
  const after = (stage: Stage, token: number, ms: number): string | undefined => {
    live(stage, ms)
    return stage.outcome(token)
  }

  it('waits 500 ms from the call, and no longer', () => {
    const stage = connected()
    stage.receive(view([A]))
    stage.receive(delta([A], []))
    stage.pass(10_000)
    stage.do(call(1), { type: 'ready', token: 2, key: KEY, timeoutMs: 5_000 })
    expect(after(stage, 1, 499)).toBe(undefined)
    expect(after(stage, 1, 1)).toBe('no_instances')
    expect(after(stage, 2, 4_499)).toBe(undefined)
    expect(after(stage, 2, 1)).toBe('no_instances')
  })

  it('is answered by the next one that registers meanwhile', () => {
    const stage = connected({ times: { deregisteredWaitMs: 3_000 } })
    stage.receive(view([A]))
    stage.receive(delta([A], []))
    stage.do(call(1))
    expect(after(stage, 1, 2_900)).toBe(undefined)
    stage.receive(delta([], [B]))
    expect(stage.outcome(1)).toBe('resolve')
  })

  it('fails at once if it has waited that long already', () => {
    const stage = connected()
    stage.receive(view([]))
    stage.do(call(1))
    live(stage, 1_000)
    stage.receive(delta([], [{ ...A, state: 'starting' }]))
    expect(after(stage, 1, 1_000)).toBe(undefined)
    stage.receive(delta([{ ...A, state: 'starting' }], []))
    expect(stage.outcome(1)).toBe('no_instances')
  })

  it('waits longer for what was never registered, starts, or is down', () => {
    for (const list of [[], [{ ...A, state: 'starting' as const }], [{ ...A, state: 'down' as const }]]) {
      const stage = connected()
      stage.receive(view(list))
      stage.do(call(1))
      expect(after(stage, 1, 4_999)).toBe(undefined)
      expect(after(stage, 1, 1)).toBe('no_instances')
    }
  })

  it('knows it of what left while the connection was lost', () => {
    const stage = connected()
    stage.receive(view([A]))
    stage.reconnect()
    stage.receive(
      view([], { removes: [{ group: 'default', id: 'a', incarnation: 1, reason: 'deregistered' }] }),
    )
    stage.do(call(1))
    expect(after(stage, 1, 500)).toBe('no_instances')
  })
})
