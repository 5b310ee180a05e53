import { describe, expect, it } from 'vitest'
import { UsageError } from './exit-codes.js'
import { readServeFlags } from './serve-flags.js'

describe('readServeFlags', () => {
  it('reads both forms, and a repeated flag as a list', () => {
    expect(
      readServeFlags(['--ping-ms', '1000', '--limits-wait-ms-max=5000', '--x', 'a', '--x', 'b', '--x=c']),
    ).toEqual({
      'ping-ms': '1000',
      'limits-wait-ms-max': '5000',
      x: ['a', 'b', 'c'],
    })
  })

  it.each([
    [['memory']],
    [['--ping-ms']],
    [['--ping-ms', '--lease-ms', '1']],
    [['-x', '1']],
    [['--']],
    [['--ping-ms', '1', '2']],
  ])('refuses %j', (args) => expect(() => readServeFlags(args)).toThrow(UsageError))
})
