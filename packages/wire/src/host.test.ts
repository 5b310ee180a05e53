/** What is said of a host that no consumer could call. */
import { describe, expect, it } from 'vitest'
import { formFault, hostFault } from './host.js'

describe('a host', () => {
  it.each([
    ['[::1]', /without brackets: ::1$/],
    ['[2001:db8::1]:80', /without its port/],
    ['fe80::1%eth0', /zone id/],
    ['10.0.0.5:8080', /without its port/],
    ['web.example:8080', /without its port/],
    ['http://10.0.0.5', /without a scheme/],
    ['https://web.example/x', /without a scheme/],
    ['10.0.0.0/24', /one host/],
    ['web.example/health', /one host/],
    ['*', /one host/],
    ['web example', /spaces/],
    [' 10.0.0.5', /spaces/],
    ['', /IPv4 address, an IPv6 address or a DNS name/],
    ['..', /IPv4 address, an IPv6 address or a DNS name/],
    ['1.2.3', /IPv4 address, an IPv6 address or a DNS name/],
  ])('%j is none', (host, words) => {
    expect(formFault(host)).toMatch(words)
    expect(hostFault(host)).toBe(formFault(host))
  })

  it.each(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '::0.0.0.0'])(
    '%s is where a process listens',
    (host) => {
      expect(formFault(host)).toBeUndefined()
      expect(hostFault(host)).toBe(`host ${host} is where you listen, not where others reach you`)
      expect(hostFault(host, '::ffff:10.0.0.7')).toMatch(/this came from 10\.0\.0\.7$/)
      expect(hostFault(host, '2001:db8::7')).toMatch(/this came from 2001:db8::7$/)
      // Of use on one machine only.
      expect(hostFault(host, '127.0.0.1')).not.toMatch(/came from/)
      expect(hostFault(host, '::1')).not.toMatch(/came from/)
    },
  )

  it.each([
    '255.255.255.255',
    '::ffff:255.255.255.255',
    '224.0.0.1',
    '239.255.255.255',
    'ff02::1',
    'FF0E::2',
  ])('%s reaches many or none', (host) => {
    expect(formFault(host)).toBeUndefined()
    expect(hostFault(host)).toMatch(/broadcast|multicast/)
  })

  it.each([
    '10.0.0.1',
    '127.0.0.1',
    '223.255.255.255',
    '240.0.0.1',
    '::1',
    'fe80::1',
    'localhost',
    'a.example.',
  ])('%s is fine', (host) => expect(hostFault(host)).toBeUndefined())
})
