/** The configuration: defaults, precedence, spelling, and what is refused. */
import { DEFAULTS, LIMITS } from '@rollcall/wire'
import { LIVENESS_DEFAULTS, NODE_DEFAULTS, PUBLISHER_DEFAULTS } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from './config.js'
import type { ConfigProblem, LoadedConfig } from './config.js'
import { SETTINGS } from './schema.js'

interface Sources {
  readonly flags?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly files?: Readonly<Record<string, string>>
}

function load({ flags = {}, env = {}, files = {} }: Sources = {}): LoadedConfig {
  return loadConfig({ flags, env, readFile: (path) => files[path] })
}

function problemsOf(sources: Sources): readonly ConfigProblem[] {
  try {
    load(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const ETCD = { etcd: 'https://a:2379' }
const DNS = { dns: '[::1]:5353' }

const inFile = (text: string): Sources => ({ files: { 'rollcall.yaml': text } })

describe('defaults', () => {
  const { config, settings } = load()

  it('are those of the contract', () => {
    expect(config).toMatchObject({
      listen: DEFAULTS.listen,
      data: './rollcall-data',
      memory: false,
      admission: 'open',
      cluster: 'rollcall',
      insecureListen: false,
      allowedHosts: [],
      probeNetworks: [],
      namespaces: {},
      limits: LIMITS,
      pingMs: DEFAULTS.pingMs,
    })
    expect(config).not.toHaveProperty('advertise')
    expect(config).not.toHaveProperty('nodeId')
  })

  it('agree with those of the core', () => {
    const { instancesMax, watchesMax, servicesMax } = NODE_DEFAULTS
    const { waitersMax } = PUBLISHER_DEFAULTS
    const { pingMs, removalMs, retentionMs } = LIVENESS_DEFAULTS
    expect(config.limits).toMatchObject({
      instancesMax,
      servicesMax,
      watchesMax,
      waitersMax,
    })
    expect(config).toMatchObject({ pingMs, removalMs, retentionMs })
  })

  it('are known as such', () => {
    expect(settings.map(({ key }) => key)).toEqual(SETTINGS.map(({ key }) => key))
    expect(settings.map(({ value }) => value)).toEqual(SETTINGS.map(({ defaultValue }) => defaultValue))
    expect(new Set(settings.map(({ origin }) => origin.source))).toEqual(new Set(['default']))
  })
})

describe('precedence', () => {
  const files = {
    'rollcall.yaml': 'cluster: file\nlimits:\n  bodyBytesMax: 2000\n',
    'other.yaml': 'cluster: other',
  }

  it('is flag, environment, file, default', () => {
    const env = { ROLLCALL_CLUSTER: 'environment' }
    const flags = { cluster: 'flag' }
    expect(load().config.cluster).toBe('rollcall')
    expect(load({ files }).config.cluster).toBe('file')
    expect(load({ files, env }).config.cluster).toBe('environment')
    expect(load({ files, env, flags }).config.cluster).toBe('flag')
  })

  it('is told for each setting', () => {
    const { config, settings } = load({ files, env: { ROLLCALL_LOG_LEVEL: 'debug' }, flags: { nodeId: 'a' } })
    expect(config.limits).toEqual({ ...load().config.limits, bodyBytesMax: 2_000 })
    const told = Object.fromEntries(settings.map(({ key, value, origin }) => [key, { value, ...origin }]))
    expect(told).toMatchObject({
      cluster: { value: 'file', source: 'file', name: 'rollcall.yaml' },
      'limits.bodyBytesMax': { value: 2_000, source: 'file', name: 'rollcall.yaml' },
      'limits.frameBytesMax': { value: LIMITS.frameBytesMax, source: 'default', name: '' },
      logLevel: { value: 'debug', source: 'environment', name: 'ROLLCALL_LOG_LEVEL' },
      nodeId: { value: 'a', source: 'flag', name: '--node-id' },
    })
  })

  it('of files: the named one, by flag before variable, else rollcall.yaml', () => {
    expect(load({ files, env: { ROLLCALL_CONFIG: 'other.yaml' } }).config.cluster).toBe('other')
    expect(
      load({ files, env: { ROLLCALL_CONFIG: 'none' }, flags: { config: 'other.yaml' } }).config.cluster,
    ).toBe('other')
    expect(problemsOf({ files, flags: { config: 'none.yaml' } })).toEqual([
      { source: 'none.yaml', key: '', message: 'does not exist' },
    ])
  })

  it('lets the stronger source choose between disk and memory', () => {
    expect(load({ ...inFile('memory: true'), flags: { data: '/srv' } }).config).toMatchObject({
      memory: false,
      data: '/srv',
    })
    expect(load({ ...inFile('data: /srv'), flags: { memory: true } }).config).toMatchObject({ memory: true })
    expect(load({ flags: { data: '/srv', memory: false } }).config).toMatchObject({
      memory: false,
      data: '/srv',
    })
    expect(problemsOf({ flags: { data: '/srv', memory: true } })).toEqual([
      { source: 'flags', key: '--data', message: 'contradicts --memory: choose one' },
    ])
  })
})

describe('spelling', () => {
  it('of every setting works in each source', () => {
    const samples: Record<string, readonly [string, unknown]> = {
      text: ['10.9.8.7:1', '10.9.8.7:1'],
      integer: ['65535', 65_535],
      duration: ['1m', 60_000],
      size: ['64KiB', 65_536],
      switch: ['true', true],
      list: ['10.0.0.1, b.example', ['10.0.0.1', 'b.example']],
      json: ['{"a":{"allow":["10.0.0.0/8"]}}', { a: { allow: ['10.0.0.0/8'] } }],
    }
    for (const setting of SETTINGS) {
      const choices = /^one of (\w+)/.exec(setting.form)?.[1]
      const special: Record<string, readonly [string, unknown]> = {
        listen: ['[::1]:7401', '[::1]:7401'],
        cluster: ['c', 'c'],
        nodeId: ['n', 'n'],
        probeNetworks: ['10.0.0.0/8,fd00::1', ['10.0.0.0/8', 'fd00::1']],
        allowedHosts: ['a.example,b', ['a.example', 'b']],
        pingMs: ['5000', 5_000],
        'limits.metadataKeysMax': ['5', 5],
        'limits.leaseMsMin': ['200', 200],
        'limits.heapPercentMax': ['50', 50],
        'limits.peerSharePercent': ['25', 25],
        'limits.declarationBytesMax': ['1048576', 1_048_576],
        'limits.watchBytesMax': ['1048576', 1_048_576],
        'limits.recordBytesMax': ['1048576', 1_048_576],
        'limits.tombstoneBytesMax': ['1048576', 1_048_576],
        'limits.strayBytesMax': ['1048576', 1_048_576],
        'limits.sharedNetworks': ['10.0.0.0/8,fd00::1', ['10.0.0.0/8', 'fd00::1']],
        'journal.rotateBytesMin': ['65536', 65_536],
        'etcd.endpoints': [' http://a:1/, http://[::1]:2379', ['http://a:1/', 'http://[::1]:2379']],
        'etcd.prefix': ['/a/b', '/a/b'],
        eureka: ['true', '127.0.0.1:8761'],
        consul: ['true', '127.0.0.1:8500'],
        'dns.listen': ['true', '127.0.0.1:8600'],
        'dns.domain': ['svc.example.com', 'svc.example.com'],
        'dns.udpBytesMax': ['1KiB', 1_024],
      }
      // Some have a meaning beside others only.
      const beside: Readonly<Record<string, Readonly<Record<string, string>>>> = {
        'etcd.ca': ETCD,
        'etcd.cert': { ...ETCD, 'etcd-key': 'k' },
        'etcd.key': { ...ETCD, 'etcd-cert': 'c' },
        'etcd.prefix': ETCD,
        'etcd.user': { ...ETCD, 'etcd-password-file': 'p' },
        'etcd.passwordFile': { ...ETCD, 'etcd-user': 'u' },
        'dns.domain': DNS,
        'dns.ttlMs': DNS,
        'dns.udpBytesMax': DNS,
        'dns.queriesPerSourceMax': DNS,
        'dns.connectionsMax': DNS,
      }
      const others = beside[setting.key] ?? {}
      const [written, value] =
        special[setting.key] ??
        (choices === undefined ? samples[setting.kind] : [choices, choices]) ??
        expect.fail()
      const read = (loaded: LoadedConfig): unknown =>
        setting.path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], loaded.config)
      const yaml = setting.path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)
      expect([setting.flag, read(load({ flags: { ...others, [setting.flag]: written } }))]).toEqual([
        setting.flag,
        value,
      ])
      expect([setting.variable, read(load({ flags: others, env: { [setting.variable]: written } }))]).toEqual(
        [setting.variable, value],
      )
      expect([setting.key, read(load({ flags: others, ...inFile(JSON.stringify(yaml)) }))]).toEqual([
        setting.key,
        value,
      ])
    }
  })

  it('of flags may be that of a parser', () => {
    expect(load({ flags: { nodeId: 'a', memory: true, advertise: undefined } }).config).toMatchObject({
      nodeId: 'a',
      memory: true,
    })
    expect(load({ flags: { allowedHosts: ['a', 'b,c'] } }).config.allowedHosts).toEqual(['a', 'b', 'c'])
  })

  it('never meets a variable that Kubernetes makes', () => {
    for (const { variable } of SETTINGS) expect(variable).not.toMatch(/_(HOST|PORT|ADDR|PROTO|TCP|UDP)$/)
  })
})

describe('what is refused', () => {
  it('is told all at once, each where it was given', () => {
    const problems = problemsOf({
      files: {
        'rollcall.yaml': 'listen: 7400\nlimits:\n  body_bytes_max: 1\n  waitMsMax: soon\ncolour: red\n',
      },
      env: { ROLLCALL_PING_MS: '0.5', ROLLCALL_COLOUR: 'red' },
      flags: { 'log-level': 'loud', colour: 'red' },
    })
    expect(problems).toEqual([
      {
        source: 'rollcall.yaml',
        key: 'limits.body_bytes_max',
        message: 'is not a setting; did you mean limits.bodyBytesMax?',
      },
      { source: 'rollcall.yaml', key: 'colour', message: 'is not a setting' },
      { source: 'environment', key: 'ROLLCALL_COLOUR', message: 'is not a setting' },
      { source: 'flags', key: '--colour', message: 'is not a flag of this command' },
      { source: 'rollcall.yaml', key: 'listen', message: 'must be HOST:PORT, with IPv6 in brackets' },
      {
        source: 'rollcall.yaml',
        key: 'limits.waitMsMax',
        message: expect.stringMatching(/^must be a time from 1s to 10m/) as string,
      },
      {
        source: 'environment',
        key: 'ROLLCALL_PING_MS',
        message: expect.stringMatching(/^must be a time from 100ms to 1m/) as string,
      },
      { source: 'flags', key: '--log-level', message: 'must be one of error, warn, info, debug' },
    ])
  })

  it('is an error with a code, and a text that a person can read', () => {
    expect(() => load({ flags: { colour: 'red' }, env: { ROLLCALL_MEMORY: 'maybe' } })).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message:
          'the configuration has 2 problems:\n' +
          '  flags: --colour is not a flag of this command\n' +
          '  environment: ROLLCALL_MEMORY must be true or false',
      }),
    )
  })

  it('also in a source that is overruled', () => {
    expect(problemsOf({ ...inFile('cluster: "a b"'), flags: { cluster: 'fine' } })).toHaveLength(1)
  })

  it.each([
    ['0.0.0.0:7400', 1],
    ['[::]:7400', 1],
    ['10.0.0.5:7400', 1],
    ['registry.example:7400', 1],
    ['localhost:0', 0],
    ['127.0.0.2:7400', 0],
    ['[::1]:7400', 0],
    ['[::ffff:127.0.0.1]:7400', 0],
  ])('is listening on %s without --insecure-listen: %i', (listen, count) => {
    expect(problemsOf({ env: { ROLLCALL_LISTEN: listen } })).toHaveLength(count)
    expect(problemsOf({ env: { ROLLCALL_LISTEN: listen }, flags: { insecureListen: true } })).toEqual([])
  })

  it.each([
    '7400',
    ':7400',
    'localhost',
    'localhost:',
    'localhost:65536',
    '::1:7400',
    '[127.0.0.1]:1',
    '1.2.3.4.5:1',
    'a b:1',
    'http://a:1',
  ])('is the address %s', (listen) => {
    expect(problemsOf({ flags: { listen, insecureListen: true } })).toHaveLength(1)
  })

  it.each(['0.0.0.0:7400', '[::]:7400', 'registry.example:0'])(
    'is to advertise %s, which cannot be called',
    (advertise) => {
      expect(problemsOf({ flags: { advertise } })).toHaveLength(1)
    },
  )

  it('is an allow list with something else in it, told by its place', () => {
    const text =
      'namespaces:\n  a: { allow: [10.0.0.0/8, "10.0.0.0/99"] }\n  b: { deny: [] }\n  "c d": { allow: [] }\n  e: 5\n'
    expect(problemsOf(inFile(text)).map(({ key, message }) => `${key} ${message}`)).toEqual([
      'namespaces.a.allow.1 must be an address, a CIDR block or a host name',
      'namespaces.b.allow must be a list, each an address, a CIDR block or a host name',
      'namespaces.b must be a map with `allow`',
      'namespaces.c d is not the name of a namespace',
      'namespaces.e must be a map with `allow`',
    ])
  })

  it('is a shortest lease above the longest', () => {
    expect(
      problemsOf({
        env: { ROLLCALL_LIMITS_LEASE_MS_MIN: '5000' },
        ...inFile('limits: { leaseMsMax: 2000 }'),
      }),
    ).toEqual([
      {
        source: 'environment',
        key: 'ROLLCALL_LIMITS_LEASE_MS_MIN',
        message: 'leaves no lease to ask for: the shortest is 5s, the longest 2s',
      },
    ])
  })

  it.each([
    ['a list', '- listen\n', 'must be a map of settings'],
    ['broken YAML', 'listen: [\n', /line 2/],
    ['a key given twice', 'data: a\ndata: b\n', 'line 2, column 1: this key is given a second time'],
    ['a group that is none', 'limits: 5\n', 'must be a map of settings'],
    ['a number where a name belongs', 'cluster: 5\n', /^must be a name/],
    ['a bomb of aliases', bomb(), /alias/i],
  ])('is %s', (_name, text, message) => {
    const problems = problemsOf(inFile(text))
    expect(problems).toEqual([
      {
        source: 'rollcall.yaml',
        key: expect.any(String),
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      },
    ])
  })

  it('is a file that cannot be read', () => {
    const readFile = (): never => {
      throw new Error('EACCES: permission denied')
    }
    expect(() => loadConfig({ flags: {}, env: {}, readFile })).toThrow(
      /rollcall\.yaml: cannot be read: EACCES/,
    )
    expect(() => loadConfig({ flags: { config: '/' }, env: {} })).toThrow('/: is a directory, not a file')
  })
})

describe('what is ignored', () => {
  it('is what a file leaves empty, and empty variables', () => {
    expect(load(inFile('')).config).toEqual(load().config)
    expect(load(inFile('# nothing\nlimits:\n  # bodyBytesMax: 5\nadvertise:\n')).config).toEqual(
      load().config,
    )
    expect(load({ env: { ROLLCALL_ADVERTISE: '', ROLLCALL_LISTEN: undefined } }).config).toEqual(
      load().config,
    )
  })

  it('is what belongs to the command, to others, and to Kubernetes', () => {
    const env = {
      ROLLCALL_REGISTRY: 'http://127.0.0.1:7400',
      ROLLCALL_NAMESPACE: 'a',
      PATH: '/bin',
      ROLLCALL: 'x',
      ROLLCALL_PORT: 'tcp://10.0.0.1:7400',
      ROLLCALL_PORT_7400_TCP: 'tcp://10.0.0.1:7400',
      ROLLCALL_PORT_7400_TCP_ADDR: '10.0.0.1',
      ROLLCALL_SERVICE_HOST: '10.0.0.1',
      ROLLCALL_SERVICE_PORT: '7400',
      ROLLCALL_SERVICE_PORT_HTTP: '7400',
      ROLLCALL_HEADLESS_SERVICE_HOST: '10.0.0.1',
    }
    expect(load({ env }).config).toEqual(load().config)
  })
})

/** A few lines that unfold into millions. */
function bomb(): string {
  const lines = ['a: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let n = 1; n < 9; n++)
    lines.push(
      `b${n}: &a${n} [${Array(10)
        .fill(`*a${n - 1}`)
        .join(', ')}]`,
    )
  return lines.join('\n')
}
