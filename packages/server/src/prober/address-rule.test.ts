/** Which addresses may be probed. */
import { describe, expect, it } from 'vitest'
import { createAddressRule, isLoopback, normalAddress, parseNetwork } from './address-rule.js'

describe('parseNetwork', () => {
  it.each([
    ['10.0.0.0/8', { address: '10.0.0.0', prefix: 8, family: 'ipv4' }],
    ['10.1.2.3', { address: '10.1.2.3', prefix: 32, family: 'ipv4' }],
    ['0.0.0.0/0', { address: '0.0.0.0', prefix: 0, family: 'ipv4' }],
    ['fd00::/8', { address: 'fd00::', prefix: 8, family: 'ipv6' }],
    ['::1', { address: '::1', prefix: 128, family: 'ipv6' }],
  ])('reads %s', (text, expected) => {
    expect(parseNetwork(text)).toEqual(expected)
  })

  it.each([
    '',
    'example.org',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0/8',
    'fd00::/129',
    'fe80::1%eth0',
    '10.0.0.0/8/8',
  ])('refuses %j', (text) => {
    expect(parseNetwork(text)).toBeUndefined()
  })
})

describe('normalAddress', () => {
  it.each([
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['::FFFF:a00:5', '10.0.0.5'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FE80::1%eth0', 'fe80::1'],
    ['10.0.0.5', '10.0.0.5'],
    ['not:an:address', 'not:an:address'],
  ])('spells %s as %s', (text, expected) => {
    expect(normalAddress(text)).toBe(expected)
  })
})

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('%s is', (address) => {
    expect(isLoopback(address)).toBe(true)
  })
  it.each(['128.0.0.1', '::2', 'localhost', '0.0.0.0'])('%s is not', (address) => {
    expect(isLoopback(address)).toBe(false)
  })
})

describe('the address rule of probes', () => {
  const rule = createAddressRule([])

  it.each([
    ['10.0.0.5', '10.0.0.5', 'allowed'],
    ['10.0.0.5', '::ffff:10.0.0.5', 'allowed'],
    ['FD12::0005', 'fd12::5', 'allowed'],
    ['10.0.0.6', '10.0.0.5', 'forbidden'],
    ['127.0.0.1', '10.0.0.5', 'forbidden'],
    ['127.0.0.7', '127.0.0.1', 'allowed'],
    ['::1', '::ffff:127.0.0.1', 'allowed'],
    ['10.0.0.5', '127.0.0.1', 'forbidden'],
    ['10.0.0.5', undefined, 'forbidden'],
    ['orders.example', '10.0.0.5', 'resolve'],
    ['orders.example', undefined, 'forbidden'],
    ['localhost', '127.0.0.1', 'resolve'],
    ['localhost', '10.0.0.5', 'forbidden'],
    ['a.LOCALHOST', '10.0.0.5', 'forbidden'],
  ] as const)('host %s registered by %s is %s', (host, peer, expected) => {
    expect(rule.decide(host, peer)).toBe(expected)
  })

  it('judges what a name resolved to like any other address', () => {
    expect(rule.allows('10.0.0.5', '10.0.0.5')).toBe(true)
    expect(rule.allows('169.254.169.254', '10.0.0.5')).toBe(false)
    expect(rule.allows('orders.example', '10.0.0.5')).toBe(false)
  })

  it.each(['169.254.169.254', '::ffff:169.254.169.254', '169.254.170.2', 'fd00:ec2::254', '100.100.100.200'])(
    'never asks %s for credentials, not even when it says so itself',
    (address) => {
      expect(rule.decide(address, address)).toBe('forbidden')
      expect(createAddressRule([normalAddress(address)]).decide(address, undefined)).toBe('allowed')
    },
  )

  it('lets an operator list networks, each for its own family', () => {
    const listed = createAddressRule(['10.0.0.0/8', '::/0'])
    expect(listed.decide('10.200.0.1', undefined)).toBe('allowed')
    expect(listed.decide('::ffff:10.200.0.1', undefined)).toBe('allowed')
    expect(listed.decide('fd00::1', '192.0.2.1')).toBe('allowed')
    expect(listed.decide('11.0.0.1', '192.0.2.1')).toBe('forbidden')
    expect(listed.decide('orders.example', undefined)).toBe('resolve')
  })

  it('is not fooled by the peer it judged last', () => {
    expect(rule.decide('10.0.0.5', '10.0.0.5')).toBe('allowed')
    expect(rule.decide('10.0.0.5', '10.0.0.6')).toBe('forbidden')
    expect(rule.decide('127.0.0.1', '127.0.0.1')).toBe('allowed')
    expect(rule.decide('127.0.0.1', '10.0.0.6')).toBe('forbidden')
    expect(rule.decide('127.0.0.1', undefined)).toBe('forbidden')
  })

  it('refuses to be built from something else than networks', () => {
    expect(() => createAddressRule(['everywhere'])).toThrow(TypeError)
  })
})
