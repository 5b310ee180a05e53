/** What a program hears that passes no logger. */
import { afterEach, expect, it, vi } from 'vitest'
import { connect } from '../connect.js'

afterEach(() => void vi.restoreAllMocks())

const options = {
  static: { orders: [] },
  cluster: 'c',
  snapshotDir: '/dev/null/none',
  warmup: false,
} as const

it('warns on the console, and keeps still where it is told to', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const silent = await connect({ ...options, logger: false })
  const loud = await connect(options)
  // The silent one comes first: had it anything to say, it would have by the time the other does.
  const ready = [silent, loud].map((rollcall) => rollcall.service('orders').ready())
  await vi.waitFor(() => expect(warned).toHaveBeenCalled(), 10_000)
  await Promise.all([silent.close(), loud.close()])
  await Promise.allSettled(ready)
  expect(warned.mock.calls).toEqual([
    [expect.stringMatching(/^rollcall: snapshots cannot be read \{.*ENOTDIR/)],
  ])
})
