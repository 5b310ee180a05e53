/** The order of warming up. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import { WarmUpBatch, WarmUpQueue } from './warm-up-queue.js'

const list = (...ids: string[]) => ids.map((id) => instance(id))
const ids = (instances: readonly { readonly id: string }[]) => instances.map(({ id }) => id).join('')

describe('a batch', () => {
  it('withholds failures until one was reached', () => {
    const [a, b, c, d] = list('a', 'b', 'c', 'd') as [never, never, never, never]
    const batch = new WarmUpBatch([a, b, c, d])
    expect(ids(batch.failed(a))).toBe('')
    expect(ids(batch.failed(b))).toBe('')
    expect(ids(batch.succeeded())).toBe('ab')
    expect(batch.over).toBe(false)
    expect(ids(batch.failed(d))).toBe('d')
    expect(batch.over).toBe(true)
  })

  it('blames none when none was reached', () => {
    const all = list('a', 'b')
    const batch = new WarmUpBatch(all)
    expect(all.flatMap((item) => batch.failed(item))).toEqual([])
    expect(batch.over).toBe(true)
  })
})

describe('the queue', () => {
  it('lets services take turns within the limit', () => {
    const queue = new WarmUpQueue(3)
    queue.add(new WarmUpBatch(list('a', 'b', 'c', 'd')))
    queue.add(new WarmUpBatch(list('x')))
    expect(ids(queue.begin().map((task) => task.instance))).toBe('axb')
    expect(queue.begin()).toEqual([])
    queue.ended()
    queue.ended()
    expect(ids(queue.begin().map((task) => task.instance))).toBe('cd')
  })

  it('begins each instance once, never more than the limit at a time, and leaves nothing', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        sizes,
        fc.infiniteStream(fc.nat()),
        (max, counts, draws) => {
          const queue = new WarmUpQueue(max)
          const batches = counts.map(
            (count, service) =>
              new WarmUpBatch(list(...Array.from({ length: count }, (_, n) => `${service}-${n}`))),
          )
          for (const batch of batches) queue.add(batch)
          const begun: string[] = []
          const running = []
          for (;;) {
            const tasks = queue.begin()
            begun.push(...tasks.map((task) => task.instance.id))
            running.push(...tasks)
            expect(running.length).toBeLessThanOrEqual(max)
            if (running.length === 0) break
            const draw = draws.next().value as number
            const [task] = running.splice(draw % running.length, 1)
            if (draw % 2 === 0) task!.batch.succeeded()
            else task!.batch.failed(task!.instance)
            queue.ended()
          }
          expect(new Set(begun).size).toBe(begun.length)
          expect(begun).toHaveLength(counts.reduce((sum, count) => sum + count, 0))
          expect(batches.every((batch) => batch.over)).toBe(true)
        },
      ),
    )
  })

  it('does not begin what was cancelled', () => {
    const queue = new WarmUpQueue(1)
    const batch = new WarmUpBatch(list('a', 'b'))
    queue.add(batch)
    expect(queue.begin()).toHaveLength(1)
    batch.cancel()
    queue.ended()
    expect(queue.begin()).toEqual([])
  })
})
