/** Descriptors are divided so that connections never take those of journal and prober. */
import { describe, expect, it } from 'vitest'
import { planDescriptors, readDescriptorLimit } from './descriptors.js'

const GIB = 1_073_741_824

describe('the limit of open files', () => {
  it.each([
    ['Max open files            256                  4096                 files     \n', 256],
    [
      'Max cpu time  1  2\nMax open files            unlimited            unlimited            files\n',
      Infinity,
    ],
    ['Max processes             256                  4096                 processes \n', undefined],
  ])('is read from %j', (text, limit) => {
    expect(readDescriptorLimit(() => text)).toBe(limit)
  })

  it('is unknown where it cannot be read', () => {
    const read = (): string => {
      throw new Error('no such file')
    }
    expect(readDescriptorLimit(read)).toBeUndefined()
  })
})

describe('the descriptors', () => {
  it.each([
    ['few', 256, undefined, { connectionsMax: 144, probesMax: 48, scarce: true }],
    ['many', 1_048_576, undefined, { connectionsMax: 50_000, probesMax: 2_048, scarce: false }],
    ['enough', 20_000, undefined, { connectionsMax: 17_888, probesMax: 2_048, scarce: false }],
    ['without bound', Infinity, undefined, { connectionsMax: 50_000, probesMax: 2_048, scarce: false }],
    ['unknown', undefined, undefined, { connectionsMax: 720, probesMax: 240, scarce: false }],
    ['unknown, with a setting', undefined, 9_000, { connectionsMax: 9_000, probesMax: 240, scarce: false }],
    ['enough for the setting', 1_024, 100, { connectionsMax: 100, probesMax: 240, scarce: false }],
    ['too few for the setting', 1_024, 5_000, { connectionsMax: 720, probesMax: 240, scarce: true }],
    ['next to none', 16, undefined, { connectionsMax: 12, probesMax: 4, scarce: true }],
  ])('%s are divided', (_, limit, configured, plan) => {
    expect(planDescriptors(limit, 4 * GIB, configured)).toEqual({ limit, ...plan })
  })

  it('are no reason to let connections take the heap', () => {
    expect(planDescriptors(Infinity, GIB / 4, undefined).connectionsMax).toBe(6_553)
  })
})
