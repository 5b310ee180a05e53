/** Warming up in time. */
import type { Instance } from '@rollcall/wire'
import { HandClock, settle } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import type { WarmUpHook, WarmUpOptions } from './warm-up.js'
import { createWarmUps, PARALLEL_MAX, WARMED_MAX } from './warm-up.js'

/** Warm-ups under a clock moved by hand; the hook hangs for `hang…`, fails for `fail…`, and else succeeds. */
function setUp(options: WarmUpOptions = {}) {
  const clock = new HandClock()
  const blamed: string[] = []
  const signals = new Map<string, AbortSignal>()
  let running = 0
  let most = 0
  const warmup: WarmUpHook = async ({ id }, { signal }) => {
    signals.set(id, signal)
    signal.addEventListener('abort', () => (running -= 1))
    most = Math.max(most, (running += 1))
    if (id.startsWith('hang')) await new Promise(() => {})
    await Promise.resolve()
    running -= 1
    if (id.startsWith('fail')) throw new Error('no')
  }
  const warmUps = createWarmUps({ clock, random: () => 0.5 }, { warmup, ...options })
  return {
    warmUps,
    blamed,
    signals,
    clock,
    most: () => most,
    warm: (ids: readonly string[], hook?: WarmUpHook | false) => {
      let done = false
      const all = ids.map((id) => instance(id))
      const warming = warmUps.warm(all, (item: Instance) => blamed.push(item.id), hook)
      const told = async (): Promise<void> => {
        await warming
        done = true
      }
      void told()
      return () => done
    },
    pass: async (ms: number) => {
      await settle()
      await clock.pass(ms)
      await settle()
    },
  }
}

const many = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`)

describe('warming up', () => {
  it('is over with the slowest, not after the sum', async () => {
    const { warm, pass, blamed, clock, signals } = setUp()
    const done = warm([...many('hang', 10), ...many('ok', 10), 'fail'])
    await pass(999)
    expect(done()).toBe(false)
    expect(blamed).toEqual(['fail'])
    await pass(1)
    expect(done()).toBe(true)
    expect(blamed).toEqual(['fail', ...many('hang', 10)])
    expect(clock.timers).toEqual([])
    expect(signals.get('hang0')?.aborted).toBe(true)
    expect(signals.get('ok0')?.aborted).toBe(false)
  })

  it('has a limit for all services together, and lets none wait behind another', async () => {
    const { warm, pass, most } = setUp()
    const large = warm(many('hang', 600))
    const small = warm(['ok'])
    await pass(1_000)
    expect(most()).toBe(PARALLEL_MAX)
    expect(small()).toBe(true)
    await pass(1_000)
    expect(large()).toBe(false)
    await pass(1_000)
    expect(large()).toBe(true)
  })

  it('blames none when all fail: it may be this process that has no network', async () => {
    const { warm, pass, blamed } = setUp()
    const done = warm(['fail0', 'hang0', 'fail1'])
    await pass(1_000)
    expect(done()).toBe(true)
    expect(blamed).toEqual([])
  })

  it('takes a hook that throws for one that fails', async () => {
    const { warm, pass, blamed } = setUp()
    const done = warm(['a', 'b'], ({ id }) => {
      if (id === 'a') throw new Error('at once')
      return Promise.resolve()
    })
    await pass(0)
    expect(done()).toBe(true)
    expect(blamed).toEqual(['a'])
  })

  it('can be off, for all and for one service', async () => {
    const off = setUp({ warmup: false })
    const [everything, nothing] = [off.warm(['hang']), setUp().warm(['hang'], false)]
    await settle()
    expect([everything(), nothing()]).toEqual([true, true])
  })

  it('takes a run of a very large service, not the same for all clients', async () => {
    const { warm, pass, signals } = setUp()
    const done = warm(many('ok', WARMED_MAX + 500))
    await pass(0)
    await pass(0)
    for (let round = 0; !done() && round < 20; round += 1) await pass(0)
    expect(signals.size).toBe(WARMED_MAX)
    expect(signals.has('ok750')).toBe(true)
    expect(signals.has('ok300')).toBe(false)
  })

  it('ends at once at close, and blames none then', async () => {
    const { warm, warmUps, signals, clock, blamed, pass } = setUp()
    const done = warm(['ok', ...many('hang', 300)])
    await settle()
    warmUps.close()
    warmUps.close()
    await pass(5_000)
    expect(done()).toBe(true)
    expect(clock.timers).toEqual([])
    expect([...signals].filter(([, signal]) => signal.aborted)).toHaveLength(PARALLEL_MAX)
    expect(blamed).toEqual([])
    expect(await warmUps.warm([instance('x')], () => {})).toBeUndefined()
  })

  it('refuses options that cannot be meant', () => {
    const wrong = [{ warmup: 'yes' }, { warmupTimeoutMs: 0 }, { warmupTimeoutMs: Number.NaN }]
    for (const options of wrong)
      expect(() => setUp(options as WarmUpOptions)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      )
  })
})
