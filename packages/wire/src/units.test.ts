/** Times and sizes: what is read, what is refused, and that what is written is read as the same. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseMoment, parseSize } from './units.js'

describe('a time', () => {
  it.each([
    ['500ms', 500],
    ['0s', 0],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['1.005s', 1_005],
    ['4.35s', 4_350],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['1m0.5s', 60_500],
    ['0.5h', 1_800_000],
    ['7d', 604_800_000],
  ])('%s is read', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each([
    ...[
      '',
      '10',
      's',
      '-1s',
      '+1s',
      '1 s',
      ' 1s',
      '1s ',
      '1e3s',
      '1S',
      '1w',
      '1s2m',
      '1s1s',
      '1.5h30m',
      'NaN',
    ],
    ...['0.5ms', '1.0001s', '9999999999999999s', '999999999999999d', '.5s', '1.s', '1s,', '1s\n', '٣s'],
  ])('%j is refused', (text) => expect(parseDuration(text)).toBeUndefined())

  it('may leave out the unit only where one is named', () => {
    expect([parseDuration('3', 's'), parseDuration('3000', 'ms'), parseDuration('0.5', 's')]).toEqual([
      3_000, 3_000, 500,
    ])
    expect([parseDuration('', 's'), parseDuration('-3', 's'), parseDuration('3x', 's')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it.each([
    [0, '0s'],
    [500, '500ms'],
    [1_500, '1.5s'],
    [90_000, '1m30s'],
    [60_500, '1m0.5s'],
    [86_400_000, '1d'],
    [604_800_000, '7d'],
  ])('of %i ms is written %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('that is written is read as the same', () => {
    fc.assert(
      fc.property(fc.nat(2_678_400_000), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })
})

describe('a moment', () => {
  it.each([
    ['10m', { agoMs: 600_000 }],
    ['1h30m', { agoMs: 5_400_000 }],
    ['2026-01-01', { atMs: 1_767_225_600_000 }],
    ['2026-01-01T00:00', { atMs: 1_767_225_600_000 }],
    ['2026-01-01T00:00:01.5Z', { atMs: 1_767_225_601_500 }],
    ['2026-01-01T02:00+02:00', { atMs: 1_767_225_600_000 }],
    ['2025-12-31T23:00:00-01:00', { atMs: 1_767_225_600_000 }],
  ])('%s is read', (text, moment) => expect(parseMoment(text)).toEqual(moment))

  it.each([
    '',
    '10',
    'yesterday',
    '2026-13-01',
    '2026-01-32',
    '2026-01-01 00:00',
    '2026-01-01T24:00',
    '26-01-01',
  ])('%j is refused', (text) => expect(parseMoment(text)).toBeUndefined())
})

describe('a size', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['64KiB', 65_536],
    ['8MiB', 8_388_608],
    ['8mib', 8_388_608],
    ['1.5GiB', 1_610_612_736],
    ['8MB', 8_000_000],
    ['1kB', 1_000],
    ['1TiB', 1_099_511_627_776],
  ])('%s is read', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each(['', 'MiB', '8M', '8Mi', '8 MiB', '-1', '1e6', '1.5B', '1.0001KiB', '99999999TiB', '8iB', '0x10'])(
    '%j is refused',
    (text) => expect(parseSize(text)).toBeUndefined(),
  )

  it.each([
    [0, '0B'],
    [1_000, '1000B'],
    [1_024, '1KiB'],
    [1_536, '1536B'],
    [8_388_608, '8MiB'],
    [1_610_612_736, '1536MiB'],
    [68_719_476_736, '64GiB'],
  ])('of %i bytes is written %s', (bytes, text) => expect(formatSize(bytes)).toBe(text))

  it('that is written is read as the same', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.constantFrom(1, 1_024, 1_048_576), (count, unit) => {
        expect(parseSize(formatSize(count * unit))).toBe(count * unit)
      }),
    )
  })
})
