/** Hosts and networks: what is an address, and what an allow list lets in. */
import { describe, expect, it } from 'vitest'
import {
  canonicalHost,
  isAllowed,
  isAllowEntry,
  isDnsName,
  isHost,
  parseAddress,
  sameHost,
} from './address.js'

describe('parseAddress', () => {
  it.each([
    ['10.0.0.1', [10, 0, 0, 1]],
    ['0.0.0.0', [0, 0, 0, 0]],
    ['255.255.255.255', [255, 255, 255, 255]],
    ['::', Array<number>(16).fill(0)],
    ['::1', [...Array<number>(15).fill(0), 1]],
    ['1::', [0, 1, ...Array<number>(14).fill(0)]],
    ['1:2:3:4:5:6:7::', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]],
    ['2001:DB8::ff', [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 0xff]],
    ['::10.0.0.1', [...Array<number>(12).fill(0), 10, 0, 0, 1]],
    ['::ffff:10.0.0.1', [10, 0, 0, 1]],
    ['::FFFF:a00:1', [10, 0, 0, 1]],
    ['64:ff9b::10.0.0.1', [0, 0x64, 0xff, 0x9b, ...Array<number>(8).fill(0), 10, 0, 0, 1]],
  ])('reads %s', (text, bytes) => {
    expect(parseAddress(text)).toEqual(bytes)
  })

  it.each([
    '',
    ' ',
    '10.0.0',
    '10.0.0.0.1',
    '256.0.0.1',
    '010.0.0.1',
    '10.0.0.1 ',
    '1.2.3.x',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7:8::',
    'fe80::1%eth0',
    '::ffff:256.0.0.1',
    '10.0.0.1::',
    '::10.0.0.1:1',
    '[::1]',
    '::1/64',
    '-1.0.0.1',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })
})

describe('isHost', () => {
  it.each([
    '10.0.0.1',
    '::1',
    'localhost',
    'a.example',
    'a.example.',
    'with-dash_and_score.example',
    '1and1.example',
    'x'.repeat(63),
  ])('takes %s', (host) => {
    expect(isHost(host)).toBe(true)
  })

  it.each([
    '',
    '.',
    'a..b',
    '-a',
    'a-',
    'a b',
    'a/b',
    '1.2.3',
    '300.1.1.1',
    'a.1',
    'x'.repeat(64),
    `${'x.'.repeat(126)}xx`,
    'höst',
    '[::1]',
    'a:80',
  ])('refuses %j', (host) => {
    expect(isHost(host)).toBe(false)
    expect(isDnsName(host)).toBe(false)
  })
})

describe('isAllowed', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.0/8', true],
    ['11.0.0.1', '10.0.0.0/8', false],
    ['10.1.2.3', '0.0.0.0/0', true],
    ['10.0.0.7', '10.0.0.4/30', true],
    ['10.0.0.8', '10.0.0.4/30', false],
    ['10.0.0.5', '10.0.0.4/31', true],
    ['10.0.0.4', '10.0.0.5/32', false],
    ['::1', '0.0.0.0/0', false],
    ['10.0.0.1', '::/0', false],
    ['2001:db8::1', '2001:DB8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1', true],
    ['::ffff:10.0.0.1', '10.0.0.0/8', true],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['web.example', 'WEB.example', true],
    ['web.example.', 'web.example', true],
    ['web.example', 'web.example.', true],
    ['web.example', 'example', false],
    ['10.0.0.1', 'web.example', false],
    ['web.example', '0.0.0.0/0', false],
  ])('%s under %s: %s', (host, entry, expected) => {
    expect(isAllowed(host, [entry])).toBe(expected)
  })

  it('needs one entry that fits, and none of none', () => {
    expect(isAllowed('10.0.0.1', ['192.168.0.0/16', '10.0.0.0/8'])).toBe(true)
    expect(isAllowed('10.0.0.1', [])).toBe(false)
  })

  it.each(['10.0.0.0/8', '::/0', 'web.example', '10.0.0.1'])('knows the entry %s', (entry) => {
    expect(isAllowEntry(entry)).toBe(true)
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    '::ffff:10.0.0.0/104',
    '*',
    '10.*',
    'web.example/8',
    '',
  ])('refuses the entry %j', (entry) => {
    expect(isAllowEntry(entry)).toBe(false)
  })
})

describe('sameHost', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['10.0.0.1', '::FFFF:a00:1', true],
    ['2001:DB8::1', '2001:db8:0::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['Web.Example', 'web.example', true],
    ['web.example', 'web.example.', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['web.example', '10.0.0.1', false],
    ['web.example', 'web.example.com', false],
    ['::1', '10.0.0.1', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(sameHost(a, b)).toBe(expected)
    expect(sameHost(b, a)).toBe(expected)
    expect(canonicalHost(a) === canonicalHost(b)).toBe(expected)
  })
})
