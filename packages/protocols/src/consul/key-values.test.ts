/** The small store: bounded, numbered, and waited for. */
import { HandClock, settle } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { KeyValues } from './key-values.js'

const create = (more: object = {}): { store: KeyValues; clock: HandClock } => {
  const clock = new HandClock()
  return {
    clock,
    store: new KeyValues(clock, { kvKeysMax: 4, kvBytesMax: 100, kvValueBytesMax: 50, ...more }),
  }
}

const bytes = (text: string): Buffer => Buffer.from(text)

describe('the store', () => {
  it('keeps pairs in order, each with the number of its last change', () => {
    const { store } = create()
    expect([store.put('b', bytes('1'), 0, undefined), store.put('a/x', bytes('2'), 7, undefined)]).toEqual([
      'stored',
      'stored',
    ])
    expect(store.below('').map(({ key }) => key)).toEqual(['a/x', 'b'])
    expect(store.below('a/')).toMatchObject([{ key: 'a/x', flags: 7, modifyIndex: store.index }])
    const created = store.get('b')?.createIndex
    store.put('b', bytes('3'), 0, undefined)
    expect(store.get('b')).toMatchObject({ createIndex: created, modifyIndex: store.index })
  })

  it('writes under a condition only where that holds', () => {
    const { store } = create()
    expect(store.put('a', bytes('1'), 0, 0)).toBe('stored')
    expect(store.put('a', bytes('2'), 0, 0)).toBe('unchanged')
    expect(store.put('a', bytes('2'), 0, store.get('a')?.modifyIndex)).toBe('stored')
    expect([store.delete('a', false, 1), store.delete('a', false, store.get('a')?.modifyIndex)]).toEqual([
      false,
      true,
    ])
  })

  it('is bounded in keys, in bytes and in the bytes of one value', () => {
    const { store } = create()
    expect(store.put('large', bytes('x'.repeat(51)), 0, undefined)).toBe('large')
    expect(store.put('x'.repeat(600), bytes(''), 0, undefined)).toBe('large')
    for (const key of ['a', 'b', 'c', 'd']) store.put(key, bytes('1'), 0, undefined)
    expect(store.put('e', bytes('1'), 0, undefined)).toBe('full')
    store.delete('', true, undefined)
    expect(store.put('a', bytes('x'.repeat(50)), 0, undefined)).toBe('stored')
    expect(store.put('b', bytes('x'.repeat(50)), 0, undefined)).toBe('full')
    expect(store.put('a', bytes('x'.repeat(40)), 0, undefined)).toBe('stored')
  })

  it('wakes those who wait for a key, or for what is below a prefix', async () => {
    const { store, clock } = create()
    const woken: string[] = []
    const wait = (name: string, prefix: string, whole: boolean): void =>
      void store.wait(prefix, whole, 1_000).changed.then((changed) => woken.push(`${name} ${changed}`))
    wait('key', 'a/x', true)
    wait('below', 'a/', false)
    wait('other', 'b', false)
    store.put('a/y', bytes('1'), 0, undefined)
    await settle()
    store.put('a/x', bytes('1'), 0, undefined)
    await settle()
    await clock.pass(1_000)
    expect(woken).toEqual(['below true', 'key true', 'other false'])
  })
})
