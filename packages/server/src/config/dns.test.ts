/** The settings of DNS: how they are written, and what contradicts itself among them. */
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from './config.js'
import type { DnsSettings } from './types.js'

interface Sources {
  readonly flags?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly yaml?: string
}

function load({ flags = {}, env = {}, yaml }: Sources): DnsSettings | undefined {
  return loadConfig({ flags, env, readFile: () => yaml }).config.dns
}

function problemsOf(sources: Sources): readonly string[] {
  try {
    load(sources)
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ source, key, message }) => `${source}: ${key} ${message}`)
    throw error
  }
  return []
}

describe('DNS', () => {
  it('is off unless it is asked for', () => {
    expect(load({})).toBeUndefined()
    expect(problemsOf({ env: { ROLLCALL_DNS_DOMAIN: 'svc.local' }, yaml: 'dns: {ttlMs: 5s}' })).toEqual([
      'environment: ROLLCALL_DNS_DOMAIN is about DNS, and that is off: add --dns',
      'rollcall.yaml: dns.ttlMs is about DNS, and that is off: add --dns',
    ])
  })

  it('is at the common port of this machine where no address is said', () => {
    for (const sources of [
      { flags: { dns: true } },
      { flags: { dns: 'true' } },
      { env: { ROLLCALL_DNS: 'true' } },
      { yaml: 'dns: true' },
      { yaml: 'dns: {listen: true}' },
    ])
      expect(load(sources)).toEqual({
        listen: '127.0.0.1:8600',
        domain: 'rollcall',
        ttlMs: 1_000,
        udpBytesMax: 1_232,
        queriesPerSourceMax: 1_000,
        connectionsMax: 512,
      })
  })

  it('is where it is told to be, beyond this machine only where that is meant', () => {
    expect(load({ flags: { dns: '[::1]:53' } })?.listen).toBe('[::1]:53')
    expect(problemsOf({ flags: { dns: '10.0.0.1:53' } })).toEqual([
      expect.stringMatching(/^flags: --dns is reachable from other machines.*--insecure-listen$/),
    ])
    expect(load({ flags: { dns: '10.0.0.1:53', insecureListen: true } })?.listen).toBe('10.0.0.1:53')
    expect(problemsOf({ yaml: 'dns: false' })).toEqual([
      'rollcall.yaml: dns must be HOST:PORT, with IPv6 in brackets',
    ])
  })

  it('has a domain whose names are names', () => {
    for (const domain of ['rollcall', 'svc.Example.com', '_x.local', 'xn--caf-dma'])
      expect(load({ flags: { dns: true, dnsDomain: domain } })?.domain).toBe(domain)
    for (const domain of [
      '',
      '.',
      'rollcall.',
      '-a',
      'a..b',
      'a b',
      'café',
      'a'.repeat(64),
      'ab.'.repeat(34),
    ])
      expect([domain, problemsOf({ flags: { dns: true, dnsDomain: domain } }).length]).toEqual([domain, 1])
  })
})
