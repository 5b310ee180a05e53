/** One list: first use, what may be called, saving. */
import type { Instance } from '@rollcall/wire'
import { EMPTY_SIGN, signOf } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { ListChange, StoredList } from '../machine/events.js'
import { delta, instance, Stage, view } from '../clusters/stage.fixture.js'

const KEY = 'default\norders'
const WATCH = { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] } as const
const A = instance('a')
const B = instance('b')
const C = instance('c')
const STATIC = instance('s', { port: 9 })

function watching(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage(options)
  stage.do({ type: 'start' }, WATCH)
  return stage
}

function connected(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = watching(options)
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

const ids = (list: readonly Instance[] | undefined): string[] => (list ?? []).map((item) => item.id).sort()
const shown = (stage: Stage): ListChange | undefined => stage.all('list').at(-1)?.change
const candidates = (stage: Stage): string[] => ids(stage.all('candidates').at(-1)?.candidates)
const outcome = (stage: Stage, token: number): string | undefined => {
  const effect = stage.effects.find(
    (item) => (item.type === 'resolve' || item.type === 'reject') && item.token === token,
  )
  return effect?.type === 'reject' ? effect.error.code : effect?.type
}
const stored = (list: readonly Instance[], ageMs = 60_000): StoredList => ({
  sign: signOf(list),
  instances: list,
  ageMs,
})

describe('first use', () => {
  it('gives the registry 300 ms, then serves the snapshot', () => {
    const stage = watching({ snapshots: true })
    expect(stage.all('loadSnapshot')).toHaveLength(1)
    stage.do(
      { type: 'snapshot', cluster: 'default', key: KEY, stored: stored([A]) },
      { type: 'ready', token: 1, key: KEY, timeoutMs: 5_000 },
    )
    stage.pass(299)
    expect(outcome(stage, 1)).toBeUndefined()
    stage.pass(1)
    expect(outcome(stage, 1)).toBe('resolve')
    expect(shown(stage)).toMatchObject({ source: 'snapshot' })
    expect(stage.machine.status(stage.now).services[0]?.ageMs).toBe(60_300)
  })

  it('resumes from the snapshot by its sign', () => {
    const stage = watching({ snapshots: true })
    stage.do({ type: 'snapshot', cluster: 'default', key: KEY, stored: stored([A]) })
    stage.welcome()
    expect(stage.last('watch').services[0]?.sign).toBe(signOf([A]))
    stage.receive({ type: 'watching', req: stage.last('watch').req ?? 0 })
    expect(shown(stage)).toMatchObject({ source: 'registry', instances: [A] })
  })

  it('does not resume from a snapshot that does not add up, but serves it', () => {
    const stage = watching({ snapshots: true })
    stage.do({
      type: 'snapshot',
      cluster: 'default',
      key: KEY,
      stored: { ...stored([A]), sign: signOf([B]) },
    })
    stage.pass(300)
    expect(candidates(stage)).toEqual(['a'])
    stage.welcome()
    expect(stage.last('watch').services[0]).toEqual({ service: 'orders' })
  })

  it('falls back to the static list, and from it to the snapshot that comes later', () => {
    const stage = watching({ snapshots: true, statics: new Map([[KEY, [STATIC]]]) })
    stage.pass(300)
    expect(shown(stage)).toMatchObject({ source: 'static', instances: [STATIC] })
    stage.do({ type: 'snapshot', cluster: 'default', key: KEY, stored: stored([A]) })
    expect(shown(stage)).toMatchObject({ source: 'snapshot', instances: [A] })
    stage.welcome()
    stage.receive(view([B]))
    expect(candidates(stage)).toEqual(['b'])
  })

  it('serves the static list at once where there is no registry', () => {
    const stage = watching({ urls: [], statics: new Map([[KEY, [STATIC]]]) })
    expect(candidates(stage)).toEqual(['s'])
  })

  it('says why nothing is ready', () => {
    const ready = { type: 'ready', token: 1, key: KEY, timeoutMs: 5_000 } as const
    const alone = watching()
    alone.do(ready)
    alone.pass(5_000)
    expect(outcome(alone, 1)).toBe('unreachable')

    const untold = connected()
    untold.do(ready)
    live(untold, 5_000)
    expect(outcome(untold, 1)).toBe('timeout')

    const empty = connected()
    empty.receive(view([instance('x', { state: 'disabled' })]))
    empty.do(ready)
    live(empty, 5_000)
    expect(outcome(empty, 1)).toBe('no_instances')
  })

  it('finds out by comparison that a watch without an answer is of an empty list', () => {
    const stage = connected()
    live(stage, 40_000)
    stage.receive({ type: 'signs', req: stage.last('signs').req ?? 0, changed: [] })
    stage.do({ type: 'ready', token: 1, key: KEY, timeoutMs: 1_000 })
    live(stage, 1_000)
    expect(outcome(stage, 1)).toBe('no_instances')
  })

  it('is ready as soon as an instance registers', () => {
    const stage = connected()
    stage.receive(view([]))
    stage.do({ type: 'ready', token: 1, key: KEY, timeoutMs: 5_000 })
    stage.receive(delta([], [A]))
    expect(outcome(stage, 1)).toBe('resolve')
  })
})

describe('what may be called', () => {
  it('goes on with what vanished without a word when nothing is left', () => {
    const stage = connected()
    stage.receive(view([A, B, C]))
    stage.receive(
      view([], { removes: [{ group: 'default', id: 'a', incarnation: 1, reason: 'deregistered' }] }),
    )
    expect(shown(stage)?.instances).toEqual([])
    expect(candidates(stage)).toEqual(['b', 'c'])
    stage.receive(delta([], [instance('d')]))
    expect(candidates(stage)).toEqual(['d'])
  })

  it('goes on with the snapshot when a registry just restarted empty', () => {
    for (const late of [false, true]) {
      const stage = watching({ snapshots: true })
      if (late) stage.welcome()
      stage.do({ type: 'snapshot', cluster: 'default', key: KEY, stored: stored([A]) })
      if (!late) stage.welcome()
      stage.receive(view([]))
      expect(candidates(stage)).toEqual(['a'])
      expect(shown(stage)).toMatchObject({ source: 'registry', sign: EMPTY_SIGN })
    }
  })

  it('believes an empty list that came from deregistrations', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    stage.receive(delta([A, B], []))
    expect(candidates(stage)).toEqual([])
  })

  it('says that it keeps what vanished, and for how long it did', () => {
    const stage = connected()
    stage.receive(view([A, B, C]))
    stage.receive(view([A]))
    const status = (): number | undefined => stage.machine.status(stage.now).services[0]?.kept
    expect([status(), candidates(stage)]).toEqual([2, ['a']])
    expect(stage.all('log').at(-1)).toMatchObject({ level: 'warn', fields: { kept: 2, listed: 1 } })
    stage.do({ type: 'failed', key: KEY, instance: A })
    expect(candidates(stage)).toEqual(['b', 'c'])
    stage.do({ type: 'succeeded', key: KEY, instance: A })
    expect(candidates(stage)).toEqual(['a'])
    live(stage, 599_000)
    expect(status()).toBe(2)
    live(stage, 1_000)
    expect(status()).toBe(0)
    expect(stage.all('log').at(-1)).toMatchObject({ level: 'info', fields: { kept: 0 } })
    expect(stage.machine.status(stage.now).services[0]).toMatchObject({ sign: signOf([A]), instances: 1 })
  })

  it('does not count the time without a registry against what vanished', () => {
    const stage = connected({ times: { stableMs: 0 } })
    stage.receive(view([A]))
    stage.receive(view([]))
    stage.do({ type: 'closed', connection: stage.connection, reason: 'lost' })
    stage.pass(3_600_000)
    expect(candidates(stage)).toEqual(['a'])
    stage.welcome()
    stage.receive({ type: 'watching', req: stage.last('watch').req ?? 0 })
    live(stage, 599_000)
    expect(candidates(stage)).toEqual(['a'])
    live(stage, 2_000)
    expect(candidates(stage)).toEqual([])
  })

  it('lets go of what vanished when a later view says that it was deregistered', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    stage.receive(view([]))
    expect(candidates(stage)).toEqual(['a', 'b'])
    const removes = [A, B].map(({ group, id, incarnation }) => ({
      group,
      id,
      incarnation,
      reason: 'deregistered' as const,
    }))
    stage.receive(view([], { removes }))
    expect(candidates(stage)).toEqual([])
  })

  it.each(['unreachable', 'timeout'] as const)('drops what vanished and then failed: %s', (kind) => {
    const stage = connected()
    stage.receive(view([A, B, C]))
    stage.receive(view([]))
    const failed = { type: 'failed', key: KEY } as const
    stage.do(
      { ...failed, instance: A, kind },
      { ...failed, instance: B, kind: 'failure' },
      { type: 'succeeded', key: KEY, instance: C },
    )
    expect(candidates(stage)).toEqual(['b', 'c'])
    live(stage, 500_000)
    stage.receive(view([]))
    expect(candidates(stage)).toEqual(['b', 'c'])
  })

  it('offers an instance whose time out is over for one call at a time', () => {
    const stage = connected()
    stage.receive(view([A, B, C]))
    stage.do({ type: 'failed', key: KEY, instance: A })
    live(stage, 1_000)
    const choice = () => stage.all('candidates').at(-1)
    expect(choice()).toMatchObject({ candidates: [A, B, C], trials: [A] })
    stage.do({ type: 'trying', key: KEY, instance: A })
    expect(choice()).toMatchObject({ candidates: [B, C], trials: [] })
    stage.do({ type: 'succeeded', key: KEY, instance: A })
    expect(choice()).toMatchObject({ candidates: [A, B, C], trials: [] })
  })

  it('says when calls are next to pointless, and when they are not any more', () => {
    const stage = connected()
    stage.receive(view([A]))
    const failures = Array.from({ length: 5 }, () => ({ type: 'failed', key: KEY, instance: A }) as const)
    stage.do(...failures)
    expect(stage.all('candidates').at(-1)).toMatchObject({ candidates: [A], hopeless: true })
    live(stage, 1_000)
    expect(stage.all('candidates').at(-1)).toMatchObject({ candidates: [A], hopeless: false })
  })

  it('leaves out an instance that failed here for a growing time', () => {
    const stage = connected()
    stage.receive(view([A, B, C]))
    const fail = { type: 'failed', key: KEY, instance: A } as const
    stage.do(fail)
    expect(candidates(stage)).toEqual(['b', 'c'])
    live(stage, 1_000)
    expect(candidates(stage)).toEqual(['a', 'b', 'c'])
    stage.do(fail)
    live(stage, 1_000)
    expect(candidates(stage)).toEqual(['b', 'c'])
    live(stage, 1_000)
    expect(candidates(stage)).toEqual(['a', 'b', 'c'])
    stage.do({ type: 'succeeded', key: KEY, instance: A }, fail)
    live(stage, 1_000)
    expect(candidates(stage)).toEqual(['a', 'b', 'c'])
  })
})

describe('saving', () => {
  it('saves a list a second after it changed, once for many changes', () => {
    const stage = connected({ snapshots: true })
    stage.receive(view([A]))
    stage.receive(delta([A], [A, B]))
    stage.pass(999)
    expect(stage.all('saveSnapshot')).toHaveLength(0)
    stage.pass(1)
    expect(stage.all('saveSnapshot').map((effect) => ids(effect.stored.instances))).toEqual([['a', 'b']])
  })

  it('does not save a list that does not add up', () => {
    const stage = connected({ snapshots: true })
    stage.receive(view([A], { sign: signOf([B]) }))
    live(stage, 2_000)
    expect(stage.all('saveSnapshot')).toHaveLength(0)
    stage.receive(view([A, B]))
    live(stage, 2_000)
    expect(stage.all('saveSnapshot')).toHaveLength(1)
  })

  it('keeps the last good list when more than half fell silent, for ten minutes', () => {
    const stage = connected({ snapshots: true })
    stage.receive(view([A, B, C]))
    stage.pass(1_000)
    stage.receive(delta([A, B, C], [A], 'expired'))
    live(stage, 590_000)
    expect(stage.all('saveSnapshot')).toHaveLength(1)
    live(stage, 20_000)
    expect(ids(stage.all('saveSnapshot').at(-1)?.stored.instances)).toEqual(['a'])
  })

  it('saves a list that shrank by deregistrations', () => {
    const stage = connected({ snapshots: true })
    stage.receive(view([A, B, C]))
    stage.pass(1_000)
    stage.receive(delta([A, B, C], []))
    stage.pass(1_000)
    expect(stage.all('saveSnapshot').at(-1)?.stored.instances).toEqual([])
  })

  it('keeps the snapshot when a restarted registry knows nothing', () => {
    const stage = watching({ snapshots: true })
    stage.do({ type: 'snapshot', cluster: 'default', key: KEY, stored: stored([A, B]) })
    stage.welcome()
    stage.receive(view([]))
    live(stage, 60_000)
    expect(stage.all('saveSnapshot')).toHaveLength(0)
  })

  it('saves what was to be saved when it is closed', () => {
    const stage = connected({ snapshots: true })
    stage.receive(view([A]))
    stage.do({ type: 'close', token: 1 })
    expect(stage.all('saveSnapshot')).toHaveLength(1)
  })
})
