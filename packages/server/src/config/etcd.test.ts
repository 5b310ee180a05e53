/** The settings of the engine: how they are written, and what contradicts itself among them. */
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from './config.js'
import type { Config } from './types.js'

interface Sources {
  readonly flags?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly yaml?: string
}

function load({ flags = {}, env = {}, yaml }: Sources): Config {
  return loadConfig({ flags, env, readFile: () => yaml }).config
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

const ENDPOINTS = ['http://10.0.0.1:2379', 'http://10.0.0.2:2379']

describe('the engine of a node', () => {
  it('is none where none is named', () => {
    expect(load({})).not.toHaveProperty('etcd')
    expect(load({}).nodeLeaseMs).toBe(6_000)
  })

  it.each<[string, Sources]>([
    ['a flag', { flags: { etcd: ENDPOINTS.join(',') } }],
    ['a flag given twice', { flags: { etcd: ENDPOINTS } }],
    ['a variable', { env: { ROLLCALL_ETCD: ENDPOINTS.join(', ') } }],
    ['the file', { yaml: `etcd: { endpoints: [${ENDPOINTS.join(', ')}] }` }],
    ['the short form of the file', { yaml: `etcd: [${ENDPOINTS.join(', ')}]` }],
  ])('is named by %s', (_by, sources) => {
    expect(load(sources).etcd).toEqual({ endpoints: ENDPOINTS, prefix: '/rollcall' })
  })

  it('has settings of its own, which sources may share', () => {
    const config = load({
      flags: { etcd: 'https://etcd.example:443', 'node-lease-ms': '10s' },
      env: { ROLLCALL_ETCD_USER: 'registry', ROLLCALL_ETCD_PASSWORD_FILE: '/run/secrets/etcd' },
      yaml: 'etcd: { endpoints: ["http://b:1"], prefix: /shop/registry, ca: ca.pem, cert: c.pem, key: k.pem }',
    })
    expect(config).toMatchObject({
      nodeLeaseMs: 10_000,
      etcd: {
        endpoints: ['https://etcd.example:443'],
        prefix: '/shop/registry',
        ca: 'ca.pem',
        cert: 'c.pem',
        key: 'k.pem',
        user: 'registry',
        passwordFile: '/run/secrets/etcd',
      },
    })
  })

  it('joins nodes that keep nothing on disk, and two on one machine', () => {
    expect(problemsOf({ flags: { etcd: ENDPOINTS, memory: true, listen: '127.0.0.1:0' } })).toEqual([])
  })
})

describe('what is refused of an engine', () => {
  it.each([
    '10.0.0.1:2379',
    'http://10.0.0.1',
    'http://10.0.0.1:0',
    'http://10.0.0.1:2379/v3',
    'http://root:secret@10.0.0.1:2379',
    'ftp://10.0.0.1:2379',
    'http://fd00::1:2379',
    'http://a:1?b',
  ])('is the endpoint %s', (endpoint) => {
    expect(problemsOf({ flags: { etcd: endpoint } })).toEqual([
      'flags: --etcd.0 must be an http or https URL of host and port alone, such as http://10.0.0.1:2379',
    ])
  })

  it('is none, and too many', () => {
    const message = / must be a list of 1 to 32, each an http or https URL/
    expect(problemsOf({ yaml: 'etcd: []' })).toEqual([expect.stringMatching(message)])
    expect(problemsOf({ flags: { etcd: ',' } })).toEqual([expect.stringMatching(message)])
    const many = Array.from({ length: 33 }, (_, at) => `http://a:${at + 1}`)
    expect(problemsOf({ flags: { etcd: many } })).toEqual([expect.stringMatching(message)])
    expect(problemsOf({ yaml: 'etcd: http://a:1' })).toEqual([expect.stringMatching(message)])
  })

  it.each(['rollcall', '/', '/a/', '/a//b', '/a b', ''])('is the prefix "%s"', (prefix) => {
    expect(problemsOf({ flags: { etcd: ENDPOINTS, 'etcd-prefix': prefix } })).toEqual([
      expect.stringMatching(/^flags: --etcd-prefix must be a path such as \/rollcall/),
    ])
  })

  it.each([1_999, 60_001])('is a lease of %i ms', (nodeLeaseMs) => {
    expect(problemsOf({ flags: { nodeLeaseMs } })).toEqual([
      expect.stringMatching(/^flags: --node-lease-ms must be a time from 2s to 1m/),
    ])
  })

  const problems: readonly (readonly [string, Sources, readonly string[]])[] = [
    [
      'what says how to reach an etcd, and not which',
      { yaml: 'etcd: { prefix: /a, ca: ca.pem }', env: { ROLLCALL_ETCD_USER: 'u' } },
      [
        'rollcall.yaml: etcd.prefix is about an etcd, and none is named: add --etcd',
        'rollcall.yaml: etcd.ca is about an etcd, and none is named: add --etcd',
        'environment: ROLLCALL_ETCD_USER is about an etcd, and none is named: add --etcd',
      ],
    ],
    [
      'a certificate without its key, and a key without its certificate',
      { flags: { etcd: 'https://a:1', etcdCert: 'c.pem' } },
      ['flags: --etcd-cert has no meaning without --etcd-key'],
    ],
    [
      'a key without its certificate',
      { flags: { etcd: 'https://a:1', etcdKey: 'k.pem' } },
      ['flags: --etcd-key has no meaning without --etcd-cert'],
    ],
    [
      'certificates without https',
      { flags: { etcd: ENDPOINTS, etcdCa: 'ca.pem' } },
      ['flags: --etcd-ca is for https, and no endpoint of etcd is'],
    ],
    [
      'a user without a password',
      { flags: { etcd: ENDPOINTS, etcdUser: 'u' } },
      ['flags: --etcd-user has no meaning without --etcd-password-file'],
    ],
    [
      'a password without a user',
      { flags: { etcd: ENDPOINTS }, env: { ROLLCALL_ETCD_PASSWORD_FILE: 'p' } },
      ['environment: ROLLCALL_ETCD_PASSWORD_FILE has no meaning without --etcd-user'],
    ],
    [
      'a mix of http and https',
      { flags: { etcd: ['http://a:1', 'https://b:1'] } },
      ['flags: --etcd mixes http and https: choose one'],
    ],
    [
      'an endpoint named twice',
      { flags: { etcd: ['http://a:1', 'http://A:1/'] } },
      ['flags: --etcd names an endpoint twice'],
    ],
    [
      'an address that no other node can call',
      { flags: { etcd: ENDPOINTS, listen: '0.0.0.0:7400', insecureListen: true } },
      [
        'flags: --listen is every address of this machine, and other nodes need one to call: add --advertise HOST:PORT',
      ],
    ],
    [
      'metadata that no other node could be told of',
      { yaml: `etcd: [${ENDPOINTS.join()}]\nlimits:\n  metadataBytesMax: 1048576` },
      [
        'rollcall.yaml: limits.metadataBytesMax is more than 131072 bytes: nodes of a cluster could not tell each other of such an instance',
      ],
    ],
    [
      'a password as a flag',
      { flags: { etcd: ENDPOINTS, 'etcd-password': 'secret' } },
      ['flags: --etcd-password is not a flag of this command'],
    ],
  ]
  it.each(problems)('is %s', (_what, sources, told) => {
    expect(problemsOf(sources)).toEqual(told)
  })

  it('is not such an address beside one that can be called', () => {
    const flags = {
      etcd: ENDPOINTS,
      listen: '0.0.0.0:7400',
      insecureListen: true,
      advertise: '10.0.0.1:7400',
    }
    expect(problemsOf({ flags })).toEqual([])
  })
})
