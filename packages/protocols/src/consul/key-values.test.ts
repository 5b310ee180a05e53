/** The small store: bounded, numbered, waited for, on every node and after a restart. */
import { HandClock, settle } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { KeyValues, type Stored } from './key-values.js'
import { HandRegistry, PEER } from './registry.fixture.js'

interface Scene {
  readonly registry: HandRegistry
  readonly store: KeyValues
  readonly put: (key: string, text: string, cas?: number, flags?: number) => Promise<Stored>
}

function create(registry = new HandRegistry()): Scene {
  const { door, clock } = registry
  const store = new KeyValues(
    { registry: door, clock },
    { kvKeysMax: 4, kvBytesMax: 100, kvValueBytesMax: 50 },
  )
  store.start()
  return {
    registry,
    store,
    put: (key, text, cas, flags = 0) => store.put(key, Buffer.from(text), { flags, cas }, PEER),
  }
}

const textOf = ({ store }: Scene, key: string): string | undefined => store.get(key)?.value.toString()

describe('the store', () => {
  it('keeps pairs in order, each with the number of its last change', async () => {
    const { store, put } = create()
    expect([await put('b', '1'), await put('a/x', '2', undefined, 7)]).toEqual(['stored', 'stored'])
    expect(store.below('').map(({ key }) => key)).toEqual(['a/x', 'b'])
    expect(store.below('a/')).toMatchObject([{ key: 'a/x', flags: 7, modifyIndex: store.index }])
    const created = store.get('b')?.createIndex
    await put('b', '3')
    expect(store.get('b')).toMatchObject({ createIndex: created, modifyIndex: store.index })
  })

  it('writes under a condition only where that holds', async () => {
    const { store, put } = create()
    expect(await put('a', '1', 0)).toBe('stored')
    expect(await put('a', '2', 0)).toBe('unchanged')
    expect(await put('a', '2', store.get('a')?.modifyIndex)).toBe('stored')
    const cas = store.get('a')?.modifyIndex
    expect([await store.delete('a', false, 1, PEER), await store.delete('a', false, cas, PEER)]).toEqual([
      false,
      true,
    ])
    expect([store.get('a'), await store.delete('a', false, undefined, PEER)]).toEqual([undefined, true])
    expect(await put('a', '3', 0)).toBe('stored')
  })

  it('is bounded in keys, in bytes and in the bytes of one value', async () => {
    const { store, put } = create()
    expect(await put('large', 'x'.repeat(51))).toBe('large')
    expect(await put('x'.repeat(600), '')).toBe('large')
    for (const key of ['a', 'b', 'c', 'd']) await put(key, '1')
    expect(await put('e', '1')).toBe('full')
    await store.delete('', true, undefined, PEER)
    expect(await put('a', 'x'.repeat(50))).toBe('stored')
    expect(await put('b', 'x'.repeat(50))).toBe('full')
    expect(await put('a', 'x'.repeat(40))).toBe('stored')
  })

  it('wakes those who wait for a key, or for what is below a prefix', async () => {
    const { store, put, registry } = create()
    const woken: string[] = []
    const wait = (name: string, prefix: string, whole: boolean): void =>
      void store.wait(prefix, whole, 1_000).changed.then((changed) => woken.push(`${name} ${changed}`))
    wait('key', 'a/x', true)
    wait('below', 'a/', false)
    wait('other', 'b', false)
    await put('a/y', '1')
    await settle()
    await put('a/x', '1')
    await settle()
    await registry.pass(1_000)
    expect(woken).toEqual(['below true', 'key true', 'other false'])
  })

  it('is no part of what is listed: no client that waits for services is woken by it', async () => {
    const { registry, put } = create()
    const before = registry.changes.index()
    await put('a', '1')
    await registry.pass(300)
    expect(registry.changes.index()).toBe(before)
  })
})

describe('what is kept', () => {
  it('outlives a restart, with the numbers of its writes', async () => {
    const before = create()
    await before.put('a', '1')
    await before.put('b', '1')
    await before.store.delete('b', false, undefined, PEER)
    const after = create(new HandRegistry([...before.registry.node.snapshot()]))
    expect([textOf(after, 'a'), textOf(after, 'b')]).toEqual(['1', undefined])
    expect(after.store.get('a')?.modifyIndex).toBe(before.store.get('a')?.modifyIndex)
    expect(after.store.index).toBe(before.store.index)
    expect(await after.put('a', '2', before.store.get('a')?.modifyIndex)).toBe('stored')
  })

  it('is on every node: the last write wins, and a client that asks both in turn waits for what it does not have', async () => {
    const clock = new HandClock(1_000_000)
    const [one, two] = ['node-1', 'node-2'].map((nodeId) => create(new HandRegistry([], nodeId, clock)))
    if (one === undefined || two === undefined) throw new Error('two nodes')
    await one.put('a', '1')
    two.registry.learn(one.registry)
    expect(textOf(two, 'a')).toBe('1')
    expect(two.store.patience(one.store.index, 60_000)).toBe(60_000)
    await two.put('a', '2')
    await two.put('b', '3')
    // The other one has not heard of it yet.
    clock.advance(5_000)
    expect(one.store.patience(two.store.index, 60_000)).toBe(250)
    one.registry.learn(two.registry)
    expect([textOf(one, 'a'), textOf(one, 'b')]).toEqual(['2', '3'])
    expect(one.store.patience(two.store.index, 60_000)).toBe(60_000)
    expect(one.store.patience(1, 60_000)).toBe(0)
  })
})
