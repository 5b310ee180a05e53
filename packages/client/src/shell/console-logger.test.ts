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

it.each([
  ['warns on the console', {}, 1],
  ['keeps still where it is told to', { logger: false }, 0],
] as const)('%s', async (_, more, lines) => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const rollcall = await connect({ ...options, ...more })
  await rollcall
    .service('orders')
    .ready({ timeoutMs: 1 })
    .catch(() => undefined)
  await rollcall.close()
  expect(warned).toHaveBeenCalledTimes(lines)
  for (const [text] of warned.mock.calls)
    expect(text).toMatch(/^rollcall: snapshots cannot be read \{.*ENOTDIR/)
})
