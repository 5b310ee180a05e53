/** Changes of a list at the pace of their consumers. */
import { describe, expect, it } from 'vitest'
import { ChangeFeed } from './changes.js'
import type { ListChange } from './machine/events.js'
import { instance } from './clusters/stage.fixture.js'

function change(id: string, type: 'view' | 'delta' = 'delta'): ListChange {
  const instances = [instance(id)]
  return { type, source: 'registry', sign: '', instances, upserts: instances, removes: [] }
}

const id = (result: IteratorResult<ListChange>): string | undefined =>
  result.done === true ? undefined : result.value.instances[0]?.id

describe('changes', () => {
  it('starts with the current list as a view', async () => {
    const feed = new ChangeFeed()
    feed.publish(change('a'))
    const first = await feed.open(undefined).next()
    expect(first.value).toMatchObject({ type: 'view', instances: [{ id: 'a' }] })
  })

  it('delivers every change in order, also to a consumer that waits', async () => {
    const feed = new ChangeFeed()
    const iterator = feed.open(undefined)
    const waiting = [iterator.next(), iterator.next()]
    for (const name of ['a', 'b', 'c']) feed.publish(change(name))
    expect((await Promise.all(waiting)).map(id)).toEqual(['a', 'b'])
    expect(id(await iterator.next())).toBe('c')
  })

  it('gives a consumer that is far behind the latest list, in bounded memory', async () => {
    const feed = new ChangeFeed()
    const iterator = feed.open(undefined)
    for (let index = 0; index < 1_000; index += 1) feed.publish(change(String(index)))
    feed.end()
    const seen: ListChange[] = []
    for await (const item of iterator) seen.push(item)
    expect(seen.length).toBeLessThanOrEqual(256)
    expect(seen[0]?.type).toBe('view')
    expect(seen.at(-1)?.instances[0]?.id).toBe('999')
  })

  it('ends when the feed ends, after what it still holds', async () => {
    const feed = new ChangeFeed()
    const iterator = feed.open(undefined)
    const idle = feed.open(undefined)
    const waiting = idle.next()
    feed.publish(change('a'))
    feed.end()
    expect(id(await iterator.next())).toBe('a')
    expect((await iterator.next()).done).toBe(true)
    expect(id(await waiting)).toBe('a')
    expect((await feed.open(undefined).next()).done).toBe(false)
  })

  it('ends by break, and costs nothing afterwards', async () => {
    const feed = new ChangeFeed()
    feed.publish(change('a'))
    const iterator = feed.open(undefined)
    for await (const item of iterator) if (item.instances.length > 0) break
    feed.publish(change('b'))
    expect((await iterator.next()).done).toBe(true)
  })

  it('rejects as aborted', async () => {
    const feed = new ChangeFeed()
    const controller = new AbortController()
    const waiting = feed.open(controller.signal).next()
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } })
    await expect(feed.open(controller.signal).next()).rejects.toMatchObject({ code: 'aborted' })
  })
})
