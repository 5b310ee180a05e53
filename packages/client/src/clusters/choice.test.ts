/** Which instances of a list are called: by state, by what failed here, and by what vanished. */
import type { Instance, State } from '@rollcall/wire'
import { signOf } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Choice, FailureKind } from '../machine/events.js'
import { NO_CHOICE } from '../machine/events.js'
import { CHOICE_DEFAULTS, TIMES } from '../machine/settings.js'
import { instance } from './stage.fixture.js'
import { WatchedList } from './watched-list.js'

const ids = (list: readonly Instance[]): string[] => list.map((item) => item.id)
const chosen = (chooser: Chooser, now = 0): string[] => ids(chooser.choose(now).candidates)

/** A watched list of one cluster that is told what to list. */
class Chooser {
  private readonly watched: WatchedList
  private readonly statics: readonly Instance[]
  private now = 0
  private choice = NO_CHOICE

  constructor(list: readonly Instance[], statics: readonly Instance[] = []) {
    const settings = { times: TIMES, choice: CHOICE_DEFAULTS, snapshots: false }
    const reach = {
      mayAnswer: () => true,
      connected: () => true,
      refusal: () => undefined,
      lastFailure: () => undefined,
    }
    const name = { namespace: 'default', service: 'orders' }
    this.statics = statics
    this.watched = new WatchedList(this.turn(), settings, reach, { name, clusters: ['c'], merge: 'union' })
    this.list(list)
    // The head start is over: from here on only ejections are due.
    this.choose(TIMES.headStartMs)
    this.now = 0
  }

  list(instances: readonly Instance[], kept: readonly Instance[] = []): void {
    const { statics } = this
    const list = {
      source: 'registry',
      live: true,
      sign: signOf(instances),
      instances,
      kept,
      statics,
    } as const
    this.watched.told(this.turn(), 'c', list, undefined)
    this.watched.step(this.turn())
  }

  failed(now: number, item: Instance, kind: FailureKind): void {
    this.watched.failed(now, item, kind)
  }

  trying(now: number, item: Instance): void {
    this.watched.trying(now, item)
  }

  succeeded(item: Instance): boolean {
    return this.watched.succeeded(item)
  }

  choose(now: number): Choice {
    this.now = now
    this.watched.step(this.turn())
    return this.choice
  }

  nextAt(now: number): number | undefined {
    this.choose(now)
    return this.watched.deadline()
  }

  private turn(): Parameters<WatchedList['step']>[0] {
    return {
      now: this.now,
      emit: (effect) => {
        if (effect.type === 'candidates') this.choice = effect
      },
    }
  }
}

describe('tiers', () => {
  it('are: up, suspect, draining, what vanished, the static list; nothing else is called', () => {
    const states: State[] = ['starting', 'disabled', 'down', 'draining', 'suspect', 'up']
    const list = states.map((state) => instance(state, { state }))
    const best = states.map((_, n) => chosen(new Chooser(list.slice(0, n + 1), [instance('static')])))
    expect(best).toEqual([['static'], ['static'], ['static'], ['draining'], ['suspect'], ['up']])
    const chooser = new Chooser([instance('a')], [instance('static')])
    chooser.list([], [instance('a')])
    expect(chosen(chooser)).toEqual(['a'])
  })

  it('prefers suspects to what failed here, and the static list to nothing', () => {
    const up = instance('up')
    const chooser = new Chooser([up, instance('suspect', { state: 'suspect' })], [instance('static')])
    chooser.failed(0, up, 'unreachable')
    expect(chosen(chooser)).toEqual(['suspect'])
    chooser.list([])
    expect(chosen(chooser)).toEqual(['static'])
  })
})

describe('what is spared', () => {
  it('is all else that is up or suspect', () => {
    const [up, other, suspect, down] = [
      instance('up'),
      instance('other'),
      instance('suspect', { state: 'suspect' }),
      instance('down', { state: 'down' }),
    ]
    const chooser = new Chooser([up, other, suspect, down])
    expect(ids(chooser.choose(0).spare)).toEqual(['suspect'])
    chooser.failed(0, up, 'unreachable')
    expect(ids(chooser.choose(0).spare)).toEqual(['up', 'suspect'])
    expect(ids(new Chooser([suspect, down]).choose(0).spare)).toEqual([])
  })
})

describe('ejection', () => {
  it('never takes more than half, and none when there is only one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 20 }), (n, failing) => {
        const list = Array.from({ length: n }, (_, index) => instance(String(index)))
        const chooser = new Chooser(list)
        for (const item of list.slice(0, failing)) chooser.failed(0, item, 'unreachable')
        expect(n - chosen(chooser).length).toBe(Math.min(failing, n, Math.floor(n / 2)))
      }),
    )
  })

  it('counts failures of calls that were under way together once', () => {
    const [a, b] = [instance('a'), instance('b')]
    const chooser = new Chooser([a, b])
    for (let index = 0; index < 10; index += 1) chooser.failed(index, a, 'unreachable')
    expect(chooser.nextAt(10)).toBe(1_000)
  })

  it('doubles the time out up to 30 s', () => {
    const a = instance('a')
    const chooser = new Chooser([a, instance('b')])
    let now = 0
    const times: number[] = []
    for (let index = 0; index < 7; index += 1) {
      chooser.failed(now, a, 'unreachable')
      const until = chooser.nextAt(now) ?? now
      times.push(until - now)
      now = until
    }
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it.each(['timeout', 'failure'] as const)('follows the third %s in a row, not the first', (kind) => {
    const a = instance('a')
    const chooser = new Chooser([a, instance('b')])
    for (let round = 0; round < 3; round += 1) {
      chooser.failed(0, a, kind)
      chooser.failed(0, a, kind)
      chooser.trying(0, a)
      expect(chooser.choose(0)).toMatchObject({ candidates: [{ id: 'a' }, { id: 'b' }], trials: [] })
      expect(chooser.nextAt(0)).toBeUndefined()
      expect(chooser.succeeded(a)).toBe(true)
    }
    for (let count = 0; count < 3; count += 1) chooser.failed(0, a, kind)
    expect(chosen(chooser)).toEqual(['b'])
  })

  it('holds nothing against a new process under the same id', () => {
    for (const next of [instance('a', { incarnation: 2 }), instance('a', { port: 81 })]) {
      const a = instance('a')
      const b = instance('b')
      const chooser = new Chooser([a, b])
      chooser.failed(0, a, 'unreachable')
      const heavier = { ...a, weight: 5 }
      chooser.list([heavier, b])
      expect(chosen(chooser, 1)).toEqual(['b'])
      chooser.list([next, b])
      expect(chosen(chooser, 1)).toEqual(['a', 'b'])
      chooser.failed(1, a, 'unreachable')
      expect(chosen(chooser, 1)).toEqual(['a', 'b'])
    }
  })

  it('takes no notice of instances it does not know', () => {
    const chooser = new Chooser([instance('a'), instance('b')])
    chooser.failed(0, instance('c'), 'unreachable')
    expect(chooser.nextAt(0)).toBeUndefined()
  })
})

describe('trial', () => {
  const [a, b, c] = [instance('a'), instance('b'), instance('c')]

  function failed(): Chooser {
    const chooser = new Chooser([a, b, c])
    chooser.failed(0, a, 'unreachable')
    expect(chooser.choose(999)).toMatchObject({ candidates: [b, c], trials: [] })
    return chooser
  }

  it('comes when the time out is over: one call at a time until one succeeds', () => {
    const chooser = failed()
    expect(chooser.choose(1_000)).toMatchObject({ candidates: [a, b, c], trials: [a] })
    chooser.trying(1_000, a)
    expect(chooser.choose(1_001)).toMatchObject({ candidates: [b, c], trials: [] })
    chooser.succeeded(a)
    expect(chooser.choose(1_002)).toMatchObject({ candidates: [a, b, c], trials: [] })
    chooser.failed(1_003, a, 'unreachable')
    expect(chooser.nextAt(1_003)).toBe(2_003)
  })

  it('that fails in any way means a longer time out', () => {
    for (const kind of ['unreachable', 'timeout', 'failure'] as const) {
      const chooser = failed()
      chooser.trying(1_000, a)
      chooser.failed(1_100, a, kind)
      expect(chooser.choose(3_099).candidates).toEqual([b, c])
      expect(chooser.choose(3_100).trials).toEqual([a])
    }
  })

  it('of which nothing is heard is over after five seconds', () => {
    const chooser = failed()
    chooser.trying(1_000, a)
    expect(chooser.nextAt(1_000)).toBe(6_000)
    expect(chooser.choose(5_999).trials).toEqual([])
    expect(chooser.choose(6_000).trials).toEqual([a])
  })

  it('leaves the load on the next tier where none of its own is well', () => {
    const suspect = instance('s', { state: 'suspect' })
    const chooser = new Chooser([a, suspect])
    chooser.failed(0, a, 'unreachable')
    expect(chooser.choose(1_000)).toMatchObject({ candidates: [a, suspect], trials: [a] })
  })

  it('is not given to a worse tier than needed', () => {
    const suspect = instance('s', { state: 'suspect' })
    const chooser = new Chooser([a, b, suspect])
    chooser.failed(0, suspect, 'unreachable')
    expect(chooser.choose(1_000)).toMatchObject({ candidates: [a, b], trials: [] })
  })
})

describe('hopelessness', () => {
  it('is when every candidate failed five times in a row, the last time a moment ago', () => {
    const list = [instance('a'), instance('b')]
    const chooser = new Chooser(list)
    const fail = (count: number): void => {
      for (const item of list)
        for (let index = 0; index < count; index += 1) chooser.failed(0, item, 'unreachable')
    }
    fail(4)
    expect(chooser.choose(0).hopeless).toBe(false)
    fail(1)
    expect(chooser.choose(0)).toMatchObject({ hopeless: true, candidates: [{}] })
    expect(chooser.choose(1_000).hopeless).toBe(false)
    for (const item of list.slice(0, 1)) chooser.succeeded(item)
    expect(chooser.choose(0).hopeless).toBe(false)
  })

  it('is not when there is none at all', () => {
    expect(new Chooser([]).choose(0).hopeless).toBe(false)
  })
})
