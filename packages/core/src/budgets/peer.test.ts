/** Which addresses are one peer. */
import { describe, expect, it } from 'vitest'
import { isShared, PEER_DEFAULTS, peerOf } from './peer.js'

describe('peerOf', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['/run/rollcall.sock', '/run/rollcall.sock'],
    ['a:b', 'a:b'],
  ])('accounts %s as %s', (address, peer) => {
    expect(peerOf(address)).toBe(peer)
  })
})

describe('isShared', () => {
  const bounds = { ...PEER_DEFAULTS, sharedNetworks: ['10.1.0.0/16', '2001:db8::/32', 'fe80::1'] }

  it.each(['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1', 'fe80::1%eth0'])('holds of %s', (address) => {
    expect(isShared(address, bounds)).toBe(true)
  })

  it.each(['10.2.0.1', '2001:db9::1', 'fe80::2'])('does not hold of %s', (address) => {
    expect(isShared(address, bounds)).toBe(false)
  })
})
