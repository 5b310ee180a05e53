import type { Instance, State } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from '../machine/stage.fixture.js'
import type { MirrorChange } from '../mirror.js'
import { instanceKey } from '../mirror.js'
import { Overlay, OVERLAY_DEFAULTS } from './overlay.js'

const NO_REMOVES: MirrorChange['removes'] = []
const ids = (list: readonly Instance[]): string[] => list.map((item) => item.id)
const chosen = (filter: Overlay, now = 0): string[] => ids(filter.choose(now).candidates)

function overlay(list: readonly Instance[], statics: Instance[] = []): Overlay {
  const filter = new Overlay(statics, OVERLAY_DEFAULTS)
  filter.update(0, list, { upserts: list, removes: NO_REMOVES })
  return filter
}

/** Takes over a list of which everything may have changed; what is missing left with `reason`. */
function replace(
  filter: Overlay,
  before: readonly Instance[],
  list: readonly Instance[],
  reason?: 'deregistered' | 'expired' | 'replaced',
  now = 0,
): void {
  const left = before.filter((item) => !list.some((other) => instanceKey(other) === instanceKey(item)))
  const removes = left.map((item) => (reason === undefined ? { instance: item } : { instance: item, reason }))
  filter.update(now, list, { upserts: list, removes })
}

describe('tiers', () => {
  it('are: up, suspect, draining, what vanished, the static list; nobody else is called', () => {
    const states: State[] = ['starting', 'disabled', 'down', 'draining', 'suspect', 'up']
    const list = states.map((state) => instance(state, { state }))
    const best = states.map((_, n) => chosen(overlay(list.slice(0, n + 1), [instance('static')])))
    expect(best).toEqual([['static'], ['static'], ['static'], ['draining'], ['suspect'], ['up']])
    const filter = overlay([instance('a')], [instance('static')])
    replace(filter, [instance('a')], [])
    expect(chosen(filter)).toEqual(['a'])
  })

  it('prefers suspects to what failed here, and the static list to nothing', () => {
    const up = instance('up')
    const filter = overlay([up, instance('suspect', { state: 'suspect' })], [instance('static')])
    filter.failed(0, up, 'unreachable')
    expect(chosen(filter)).toEqual(['suspect'])
    replace(filter, [up], [], 'deregistered')
    expect(chosen(filter)).toEqual(['static'])
  })
})

describe('who is spared', () => {
  it('is everybody else who is up or suspect', () => {
    const [up, other, suspect, down] = [
      instance('up'),
      instance('other'),
      instance('suspect', { state: 'suspect' }),
      instance('down', { state: 'down' }),
    ]
    const filter = overlay([up, other, suspect, down])
    expect(ids(filter.choose(0).spare)).toEqual(['suspect'])
    filter.failed(0, up, 'unreachable')
    expect(ids(filter.choose(0).spare)).toEqual(['up', 'suspect'])
    expect(ids(overlay([suspect, down]).choose(0).spare)).toEqual([])
  })
})

describe('ejection', () => {
  it('never takes more than half, and nobody when there is only one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 20 }), (n, failing) => {
        const list = Array.from({ length: n }, (_, index) => instance(String(index)))
        const filter = overlay(list)
        for (const item of list.slice(0, failing)) filter.failed(0, item, 'unreachable')
        expect(n - chosen(filter).length).toBe(Math.min(failing, n, Math.floor(n / 2)))
      }),
    )
  })

  it('counts failures of calls that were under way together once', () => {
    const [a, b] = [instance('a'), instance('b')]
    const filter = overlay([a, b])
    for (let index = 0; index < 10; index += 1) filter.failed(index, a, 'unreachable')
    expect(filter.nextAt(10)).toBe(1_000)
  })

  it('doubles the time out up to 30 s', () => {
    const a = instance('a')
    const filter = overlay([a, instance('b')])
    let now = 0
    const times: number[] = []
    for (let index = 0; index < 7; index += 1) {
      filter.failed(now, a, 'unreachable')
      const until = filter.nextAt(now) ?? now
      times.push(until - now)
      now = until
    }
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it.each(['timeout', 'failure'] as const)('follows the third %s in a row, not the first', (kind) => {
    const a = instance('a')
    const filter = overlay([a, instance('b')])
    for (let round = 0; round < 3; round += 1) {
      filter.failed(0, a, kind)
      filter.failed(0, a, kind)
      filter.trying(0, a)
      expect(filter.choose(0)).toMatchObject({ candidates: [{ id: 'a' }, { id: 'b' }], trials: [] })
      expect(filter.nextAt(0)).toBeUndefined()
      expect(filter.succeeded(a)).toBe(true)
    }
    for (let count = 0; count < 3; count += 1) filter.failed(0, a, kind)
    expect(chosen(filter)).toEqual(['b'])
  })

  it('holds nothing against a new process under the same id', () => {
    for (const next of [instance('a', { incarnation: 2 }), instance('a', { port: 81 })]) {
      const a = instance('a')
      const b = instance('b')
      const filter = overlay([a, b])
      filter.failed(0, a, 'unreachable')
      const heavier = { ...a, weight: 5 }
      filter.update(0, [heavier, b], { upserts: [heavier], removes: NO_REMOVES })
      expect(chosen(filter, 1)).toEqual(['b'])
      filter.update(0, [next, b], { upserts: [next], removes: NO_REMOVES })
      expect(chosen(filter, 1)).toEqual(['a', 'b'])
      filter.failed(1, a, 'unreachable')
      expect(chosen(filter, 1)).toEqual(['a', 'b'])
    }
  })

  it('takes no notice of instances it does not know', () => {
    const filter = overlay([instance('a'), instance('b')])
    filter.failed(0, instance('c'), 'unreachable')
    expect(filter.nextAt(0)).toBeUndefined()
  })
})

describe('trial', () => {
  const [a, b, c] = [instance('a'), instance('b'), instance('c')]

  function failed(): Overlay {
    const filter = overlay([a, b, c])
    filter.failed(0, a, 'unreachable')
    expect(filter.choose(999)).toMatchObject({ candidates: [b, c], trials: [] })
    return filter
  }

  it('comes when the time out is over: one call at a time until one succeeds', () => {
    const filter = failed()
    expect(filter.choose(1_000)).toMatchObject({ candidates: [a, b, c], trials: [a] })
    filter.trying(1_000, a)
    expect(filter.choose(1_001)).toMatchObject({ candidates: [b, c], trials: [] })
    filter.succeeded(a)
    expect(filter.choose(1_002)).toMatchObject({ candidates: [a, b, c], trials: [] })
    filter.failed(1_003, a, 'unreachable')
    expect(filter.nextAt(1_003)).toBe(2_003)
  })

  it('that fails in any way means a longer time out', () => {
    for (const kind of ['unreachable', 'timeout', 'failure'] as const) {
      const filter = failed()
      filter.trying(1_000, a)
      filter.failed(1_100, a, kind)
      expect(filter.choose(3_099).candidates).toEqual([b, c])
      expect(filter.choose(3_100).trials).toEqual([a])
    }
  })

  it('of which nothing is heard is over after five seconds', () => {
    const filter = failed()
    filter.trying(1_000, a)
    expect(filter.nextAt(1_000)).toBe(6_000)
    expect(filter.choose(5_999).trials).toEqual([])
    expect(filter.choose(6_000).trials).toEqual([a])
  })

  it('leaves the load on the next tier where nobody of its own is well', () => {
    const suspect = instance('s', { state: 'suspect' })
    const filter = overlay([a, suspect])
    filter.failed(0, a, 'unreachable')
    expect(filter.choose(1_000)).toMatchObject({ candidates: [a, suspect], trials: [a] })
  })

  it('is not given to a worse tier than needed', () => {
    const suspect = instance('s', { state: 'suspect' })
    const filter = overlay([a, b, suspect])
    filter.failed(0, suspect, 'unreachable')
    expect(filter.choose(1_000)).toMatchObject({ candidates: [a, b], trials: [] })
  })
})

describe('hopelessness', () => {
  it('is when every candidate failed five times in a row, the last time a moment ago', () => {
    const list = [instance('a'), instance('b')]
    const filter = overlay(list)
    const fail = (count: number): void => {
      for (const item of list)
        for (let index = 0; index < count; index += 1) filter.failed(0, item, 'unreachable')
    }
    fail(4)
    expect(filter.choose(0).hopeless).toBe(false)
    fail(1)
    expect(filter.choose(0)).toMatchObject({ hopeless: true, candidates: [{}] })
    expect(filter.choose(1_000).hopeless).toBe(false)
    for (const item of list.slice(0, 1)) filter.succeeded(item)
    expect(filter.choose(0).hopeless).toBe(false)
  })

  it('is not when there is nobody at all', () => {
    expect(overlay([]).choose(0).hopeless).toBe(false)
  })
})

describe('what failed here and vanished', () => {
  const [a, b, c] = [instance('a'), instance('b'), instance('c')]

  it('is dropped for good, unless it answered', () => {
    for (const kind of ['unreachable', 'timeout'] as const) {
      const filter = overlay([a, b, c])
      replace(filter, [a, b, c], [])
      filter.failed(1, a, kind)
      filter.failed(1, b, 'failure')
      filter.succeeded(c)
      expect(chosen(filter, 2)).toEqual(['b', 'c'])
      expect(chosen(filter, 500_000)).toEqual(['b', 'c'])
      replace(filter, [], [])
      expect(chosen(filter, 500_000)).toEqual(['b', 'c'])
    }
  })

  it('says how many are left', () => {
    const filter = overlay([a, b, c])
    expect(filter.kept).toHaveLength(0)
    replace(filter, [a, b, c], [])
    expect(filter.kept).toHaveLength(3)
  })
})
