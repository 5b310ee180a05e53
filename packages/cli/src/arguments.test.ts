/** Readers of option values: what they take and what they refuse. */
import { InvalidArgumentError } from 'commander'
import { describe, expect, it } from 'vitest'
import {
  readDelay,
  readDuration,
  readHost,
  readPair,
  readPort,
  readRegistries,
  readSpan,
  readWeight,
} from './arguments.js'

describe('readDuration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['3', 3_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
  ])('reads %s', (text, ms) => expect(readDuration(text)).toBe(ms))

  it.each(['', '0', '-1s', '5h', 's', '1e3', '2h', '61m', ' 5s', 'NaN'])('refuses %j', (text) => {
    expect(() => readDuration(text)).toThrow(InvalidArgumentError)
  })

  it('may be zero where zero means something', () => {
    expect([readDelay('0'), readDelay('0s'), readDelay('250ms')]).toEqual([0, 0, 250])
    expect(() => readDelay('-1')).toThrow(InvalidArgumentError)
  })
})

describe('readSpan', () => {
  it.each([
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['31d', 2_678_400_000],
  ])('reads %s', (text, ms) => expect(readSpan(text)).toBe(ms))

  it.each(['', '10', '999ms', '32d', '1w'])('refuses %j', (text) => {
    expect(() => readSpan(text)).toThrow('from 1s to 31d')
  })
})

describe('readHost', () => {
  it.each(['0.0.0.0', '0', '::', '[::]', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '*'])(
    'refuses %s, where programs listen and others reach none',
    (text) => expect(() => readHost(text)).toThrow(/listen at .* leave --host out/),
  )

  it.each(['127.0.0.1', '10.0.0.0', '::1', 'orders.internal', '::ffff:10.0.0.1'])('takes %s', (text) =>
    expect(readHost(text)).toBe(text),
  )

  it('takes an address as URLs have it, which is none to connect to', () => {
    expect(readHost('[fd00::1]')).toBe('fd00::1')
  })
})

describe('numbers', () => {
  it('have bounds', () => {
    expect([readPort('1'), readPort('65535'), readWeight('0'), readWeight('65535')]).toEqual([
      1, 65_535, 0, 65_535,
    ])
    for (const text of ['0', '65536', '3000x', '', '0x50', '1.5'])
      expect(() => readPort(text)).toThrow(InvalidArgumentError)
    for (const text of ['-1', '65536', '']) expect(() => readWeight(text)).toThrow(InvalidArgumentError)
  })
})

describe('readPair', () => {
  it('collects pairs; the value may hold anything', () => {
    expect(readPair('b=', readPair('a=x=y'))).toEqual({ a: 'x=y', b: '' })
    expect(readPair('a=2', { a: '1' })).toEqual({ a: '2' })
  })

  it('makes no prototypes', () => {
    const pairs = readPair('__proto__=x')
    expect(Object.keys(pairs)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(pairs)).toBe(Object.prototype)
  })

  it.each(['a', '=x', ''])('refuses %j', (text) => expect(() => readPair(text)).toThrow(InvalidArgumentError))
})

describe('readRegistries', () => {
  it('takes lists, repeated options, bare addresses and paths', () => {
    expect(readRegistries('http://a:7400/, b:7400', ['http://z'])).toEqual([
      'http://z',
      'http://a:7400',
      'http://b:7400',
    ])
    expect(readRegistries('https://gate.example/rollcall/')).toEqual(['https://gate.example/rollcall'])
    expect(readRegistries('[::1]:7400')).toEqual(['http://[::1]:7400'])
  })

  it.each(['', ' , ', 'ftp://a', 'http://', 'http://a b'])('refuses %j', (text) => {
    expect(() => readRegistries(text)).toThrow(InvalidArgumentError)
  })
})
