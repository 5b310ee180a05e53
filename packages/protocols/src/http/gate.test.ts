/** Which Host and Origin headers are let in. */
import { isRegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { createGate } from './gate.js'
import { headersOf } from './headers.js'

const gate = createGate(['Registry.Example'])

function verdict(raw: readonly string[], httpVersion = '1.1'): string {
  const headers = headersOf({ rawHeaders: [...raw] })
  try {
    gate.checkHost(headers, httpVersion)
    gate.checkOrigin(headers)
    return 'in'
  } catch (error) {
    return isRegistryError(error) ? error.code : 'broken'
  }
}

describe('the gate', () => {
  it('lets addresses, localhost and configured names in', () => {
    for (const host of [
      '127.0.0.1:7400',
      '10.0.0.1',
      '[::1]:7400',
      '[fe80::1]',
      'localhost',
      'LOCALHOST:1',
      'registry.example:7400',
      'registry:7400',
      'rollcall.platform.svc',
      'rollcall.platform.svc.cluster.local:7400',
      // With the dot of the root, which spares a resolver its search list.
      'rollcall.platform.svc.cluster.local.:7400',
      'registry.example.',
    ]) {
      expect([host, verdict(['HOST', host])]).toEqual([host, 'in'])
      // Once more from memory.
      expect([host, verdict(['Host', host])]).toEqual([host, 'in'])
    }
    expect(verdict([], '1.0')).toBe('in')
  })

  it('keeps names out that another site may point here', () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '',
      'a@127.0.0.1',
      '127.0.0.1:x',
      '::1',
      '[::1',
      'registry.example..',
      // A top-level domain, which is no name nearby.
      'ai.',
      'localhost.',
      'svc.evil.example',
      'evil.example.svc.cluster.local.example',
      '.svc.cluster.example',
      'x'.repeat(10_000),
    ]) {
      expect([host, verdict(['Host', host])]).toEqual([host, 'forbidden_host'])
      expect([host, verdict(['Host', host])]).toEqual([host, 'forbidden_host'])
    }
    expect(verdict([])).toBe('forbidden_host')
  })

  it('names what it refuses, and what allows it', () => {
    const refused = (host: string): unknown => {
      try {
        gate.checkHost(headersOf({ rawHeaders: ['Host', host] }), '1.1')
      } catch (error) {
        return isRegistryError(error) && [error.message, error.details]
      }
      return undefined
    }
    expect(refused('Rollcall.Example:7400')).toEqual([
      'this node does not go by the name rollcall.example: call it by its address, or start it with --allowed-hosts rollcall.example (allowedHosts in its configuration)',
      { host: 'rollcall.example' },
    ])
    // What is no name is not handed on as one.
    expect(refused('a b;rm -rf /')).toEqual([
      'the Host header is neither an address nor a host name',
      { host: 'a b;rm -rf /' },
    ])
    expect(JSON.stringify(refused('x'.repeat(10_000))).length).toBeLessThan(400)
  })

  it('remembers no more than it needs to', () => {
    for (let index = 0; index < 1_000; index++) verdict(['Host', `evil${index}.example`])
    expect(verdict(['Host', 'localhost'])).toBe('in')
  })

  it('takes requests of pages only from the origin they are sent to', () => {
    const from = (origin: string, host = '127.0.0.1:7400'): string =>
      verdict(['Host', host, 'Origin', origin])
    expect(from('http://127.0.0.1:7400')).toBe('in')
    expect(from('https://Registry.example', 'registry.example')).toBe('in')
    for (const origin of [
      'null',
      '',
      'http://127.0.0.1',
      'http://127.0.0.1:7401',
      'http://evil.example',
      'http://127.0.0.1:7400.evil.example',
      'http://127.0.0.1:7400/',
    ]) {
      expect([origin, from(origin)]).toEqual([origin, 'forbidden_origin'])
    }
  })
})

describe('headers', () => {
  it('are found whatever their case, the first of several', () => {
    const raw = [
      'hOST',
      'a',
      'Host',
      'b',
      'IF-NONE-MATCH',
      'c',
      'last-event-id',
      'd',
      'content-type',
      'e',
      'Content-Length',
      '5',
      'X-Host',
      'z',
    ]
    expect(headersOf({ rawHeaders: raw })).toEqual({
      host: 'a',
      origin: undefined,
      ifNoneMatch: 'c',
      lastEventId: 'd',
      contentType: 'e',
      contentLength: '5',
    })
  })
})
