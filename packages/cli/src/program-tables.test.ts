/** Commands that look at a node and print tables: options of tables, status, versions, namespaces, events by time. */
import { describe, expect, it } from 'vitest'
import { runCommandLine } from './program.js'
import { createFakeShell, type Answer, type FakeShell, type SeenRequest } from './shell.fixture.js'
import { STATUS } from './status.fixture.js'
import { VERSION } from './version.js'

async function run(
  line: string,
  answer?: (request: SeenRequest) => Answer,
  options?: Parameters<typeof createFakeShell>[1],
): Promise<FakeShell & { readonly code: number }> {
  const shell = createFakeShell(answer, options)
  return Object.assign(shell, { code: await runCommandLine(line.split(' '), shell) })
}

const answers = (json: unknown) => (): Answer => ({ json })

const SIGN = '0123456789abcdef'
const instance = (host: string, weight: number): object => ({
  ...{ namespace: 'default', service: 'orders', group: 'default', id: `${host}:80`, host, port: 80, weight },
  ...{
    metadata: { version: '1', owner: 'x'.repeat(80) },
    state: 'up',
    stateAgeMs: 60_000,
    incarnation: 1,
    digest: SIGN,
  },
})
const VIEW = {
  ...{
    namespace: 'default',
    service: 'orders',
    sign: SIGN,
    stale: false,
    guard: { tripped: false, kept: 0 },
  },
  instances: [instance('10.1.0.100', 1), instance('10.1.0.2', 100), instance('10.1.0.10', 20)],
}

describe('a table of instances', () => {
  const table = async (options: string, shell?: Parameters<typeof createFakeShell>[1]): Promise<string[]> => {
    const { code, stdout } = await run(`instances orders ${options}`.trim(), answers(VIEW), shell)
    expect(code).toBe(0)
    return stdout().trimEnd().split('\n')
  }

  it('is in the order of the addresses, and has metadata on demand only', async () => {
    expect(await table('')).toEqual([
      'GROUP    ID             STATE  FOR  WEIGHT',
      'default  10.1.0.2:80    up     60s     100',
      'default  10.1.0.10:80   up     60s      20',
      'default  10.1.0.100:80  up     60s       1',
    ])
    const [head, first] = await table('--wide')
    expect(head).toMatch(/^GROUP +ID +ADDRESS +STATE +FOR +WEIGHT +METADATA$/)
    expect(first).toContain(`owner=${'x'.repeat(80)} version=1`)
  })

  it('has the columns that are asked for, sorted by any of them', async () => {
    expect(await table('--columns weight,id --sort -weight')).toEqual([
      'WEIGHT  ID',
      '   100  10.1.0.2:80',
      '    20  10.1.0.10:80',
      '     1  10.1.0.100:80',
    ])
    expect(await table('--columns ID,zone --sort ID --limit 1')).toEqual(['ID           ZONE', '10.1.0.2:80'])
  })

  it('says how much is left out, beside the result', async () => {
    const { stdout, stderr } = await run('instances orders --limit 1', answers(VIEW))
    expect(stdout().split('\n')).toHaveLength(3)
    expect(stderr()).toBe('… and 2 more\n')
  })

  it('fits a terminal, and is whole where no person watches', async () => {
    const widest = (lines: readonly string[]): number => Math.max(...lines.map((line) => line.length))
    const env = { NO_COLOR: '1' }
    expect(widest(await table('--wide', { isTerminal: true, columns: 80, env }))).toBe(80)
    expect(widest(await table('--wide', { isTerminal: true, env }))).toBeGreaterThan(120)
    expect(widest(await table('--wide', { columns: 80 }))).toBeGreaterThan(120)
  })

  it.each([
    ['--columns nope', 'There are group, id, address, state, for, weight, protocol, zone, reason, metadata.'],
    ['--sort nope', 'There are group, id,'],
    ['--limit 0', 'Write a number from 1 on.'],
    ['--wide --json', '--wide is about the table, which --json does not print'],
    ['--json --limit 3', '--limit is about the table'],
  ])('is refused with %s', async (options, message) => {
    const { code, stderr, requests } = await run(`instances orders ${options}`, answers(VIEW))
    expect(stderr()).toContain(message)
    expect({ code, requests }).toEqual({ code: 2, requests: [] })
  })
})

describe('services', () => {
  it('are sorted by numbers as numbers', async () => {
    const service = (name: string, total: number): object => ({
      ...{ namespace: 'default', service: name, sign: SIGN },
      groups: [{ group: 'default', sign: SIGN, total, up: total }],
    })
    const page = { services: [service('a', 9), service('b', 100), service('c', 20)] }
    const { stdout } = await run('services --sort -total --columns service,total', answers(page))
    expect(stdout()).toBe('SERVICE  TOTAL\nb          100\nc           20\na            9\n')
  })
})

describe('namespaces', () => {
  it('are all pages, with what is special about each', async () => {
    const answer = ({ url }: SeenRequest): Answer => ({
      json: url.endsWith('?after=a')
        ? {
            namespaces: [
              { namespace: 'b', services: 0, instances: 0, allow: ['10.0.0.0/8', 'x'], frozen: true },
            ],
          }
        : { namespaces: [{ namespace: 'a', services: 2, instances: 30 }], next: 'a' },
    })
    const { code, stdout } = await run('namespaces', answer)
    expect(stdout()).toBe(
      'NAMESPACE  SERVICES  INSTANCES  FROZEN  ALLOW\na                 2         30\nb                 0          0  frozen  10.0.0.0/8,x\n',
    )
    expect(code).toBe(0)
    const json = await run('namespaces --json', answer)
    expect(JSON.parse(json.stdout())).toMatchObject({ namespaces: [{ namespace: 'a' }, { namespace: 'b' }] })
  })
})

describe('status', () => {
  it('is one screen', async () => {
    const { code, stdout, requests } = await run('status', answers(STATUS))
    expect(stdout().split('\n').length).toBeLessThan(24)
    expect(stdout()).toMatch(/^instances +1,045: 1,021 up, 24 draining$/m)
    expect(requests.map(({ url }) => url)).toEqual(['http://127.0.0.1:7400/api/v1/status'])
    expect(code).toBe(0)
    expect(JSON.parse((await run('status --json', answers(STATUS))).stdout())).toEqual(STATUS)
  })

  it('fails where the node is not ready', async () => {
    const stopping = { ...STATUS, readiness: { ready: false, reason: 'stopping' } }
    const { code, stdout } = await run('status', answers(stopping))
    expect(stdout()).toMatch(/^ready +no: stopping$/m)
    expect(code).toBe(1)
  })
})

describe('cluster', () => {
  const node = (name: string, more: object = {}): object => ({
    ...{ node: `${name}.0a1b2c3d`, name, address: `10.0.0.${name.length}:7400`, state: 'ready' },
    ...{ version: '0.1.0', judges: 33_412, sessions: 100, unpublished: 0, lagMs: 0 },
    ...more,
  })
  const whole = {
    cluster: 'shop',
    epoch: '5f3a',
    nodes: [node('rollcall-0'), node('rollcall-1'), node('rollcall-22')],
    engine: {
      ...{ kind: 'etcd', state: 'connected', version: '3.4.30' },
      endpoints: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'],
    },
    divergence: 0,
  }

  it('is its nodes and the engine, calm where all is well, and fits 80 columns', async () => {
    const { code, stdout, requests } = await run('cluster', answers(whole))
    expect(stdout().split('\n')).toEqual([
      'NAME         ADDRESS         STATE  JUDGES  SESSIONS  UNPUBLISHED  LAG',
      'rollcall-0   10.0.0.10:7400  ready   33412       100            0    -',
      'rollcall-1   10.0.0.10:7400  ready   33412       100            0    -',
      'rollcall-22  10.0.0.11:7400  ready   33412       100            0    -',
      '',
      'WHAT        VALUE',
      'cluster     shop, 3 nodes',
      'engine      etcd 3.4.30, connected',
      '            http://10.0.0.1:2379',
      '            http://10.0.0.2:2379',
      'divergence  none',
      '',
    ])
    expect(requests.map(({ url }) => url)).toEqual(['http://127.0.0.1:7400/api/v1/cluster'])
    expect(code).toBe(0)
    expect(JSON.parse((await run('cluster --json', answers(whole))).stdout())).toEqual(whole)
    expect((await run('cluster --wide', answers(whole))).stdout()).toMatch(
      /^NAME +NODE +ADDRESS +STATE +VERSION +JUDGES/,
    )
  })

  it('says in words what a node lost, and shows versions that differ', async () => {
    const torn = {
      ...whole,
      nodes: [
        node('a', { state: 'island', unpublished: 112, lagMs: 184_000, version: '0.2.0' }),
        node('b', { unpublished: 3, lagMs: 40 }),
        node('c', { state: 'stopping' }),
        node('d', { state: 'gone' }),
      ],
      engine: { kind: 'etcd', state: 'lost', endpoints: ['http://e:1'], alarms: ['NOSPACE', 'CORRUPT'] },
      divergence: 1_002,
    }
    const { code, stdout } = await run('cluster', answers(torn))
    expect(stdout().split('\n')).toEqual([
      'NAME  ADDRESS        STATE     VERSION  JUDGES  SESSIONS  UNPUBLISHED   LAG',
      'a     10.0.0.1:7400  island    0.2.0     33412       100          112    3m',
      'b     10.0.0.1:7400  ready     0.1.0     33412       100            3  40ms',
      'c     10.0.0.1:7400  stopping  0.1.0     33412       100            0     -',
      'd     10.0.0.1:7400  gone      0.1.0     33412       100            0     -',
      '',
      'WHAT        VALUE',
      'cluster     shop, 3 nodes',
      '            a lost the engine: it serves and accepts everything, tells only linked nodes, and removes nothing for silence',
      '            c is stopping: clients move to the others',
      '            d is gone: the others judge its instances',
      'engine      etcd, LOST: the node that answers is an island',
      '            http://e:1',
      'alarm       NOSPACE: etcd is full and takes no writes until an operator makes room',
      'alarm       CORRUPT',
      'divergence  1,002 keys differed from the engine when last compared, and were repaired',
      '',
    ])
    expect(code).toBe(0)
  })

  it('is one node where no engine joins it with others', async () => {
    const alone = {
      ...whole,
      epoch: '',
      nodes: [{ ...node('x'), name: undefined }],
      engine: { kind: 'none', state: 'connected', endpoints: [] },
    }
    const { stdout } = await run('cluster', answers(alone))
    expect(stdout()).toMatch(/^NODE +ADDRESS/)
    expect(stdout()).toMatch(/^engine +none: the node is a registry by itself$/m)
    expect(stdout()).not.toContain('divergence')
  })
})

describe('version', () => {
  it('is that of the command and of the node', async () => {
    const { code, stdout, stderr } = await run('version', answers({ ...STATUS, version: '9.9.9' }))
    expect(stdout()).toBe(
      `rollcall ${VERSION}\nnode     9.9.9 (edge.5f3a at 10.0.0.1:7400, cluster rollcall)\n`,
    )
    expect({ code, stderr: stderr() }).toEqual({ code: 0, stderr: '' })
  })

  it('is its own, and one line, where no node answers', async () => {
    const { code, stdout, stderr } = await run('version')
    expect(stdout()).toBe(`rollcall ${VERSION}\n`)
    expect(stderr()).toBe('rollcall: no registry answers at http://127.0.0.1:7400: connection refused\n')
    expect(code).toBe(3)
    const json = await run('version --json')
    expect(JSON.parse(json.stdout())).toMatchObject({
      cli: VERSION,
      node: null,
      error: { code: 'unreachable' },
    })
  })

  it('is not known of a node that does not tell it', async () => {
    const old = { status: 404, json: { error: { code: 'unknown_path', message: 'nothing here' } } }
    const { code, stderr } = await run('version', () => old)
    expect(stderr()).toBe('rollcall: the node does not tell its version: it is older than this command\n')
    expect(code).toBe(1)
  })
})

describe('events by time', () => {
  const page = { node: 'n', events: [], next: 0 }
  const asked = async (options: string): Promise<string> =>
    (await run(`events ${options}`, answers(page))).requests[0]?.url.split('?')[1] ?? ''

  it('are asked for as the node understands it', async () => {
    expect(await asked('--since 1h30m --until 10m')).toBe('since=5400000ms&until=600000ms&limit=1000')
    expect(await asked('--since 2026-01-01 --limit 5')).toBe('since=2026-01-01T00%3A00%3A00.000Z&limit=5')
    expect(await asked('--service orders')).toBe('service=orders&limit=20')
  })

  it.each([
    ['--since yesterday', 'Write how long ago'],
    ['--follow --until 1h', '--until ends before --follow begins'],
  ])('are refused with %s', async (options, message) => {
    const { code, stderr } = await run(`events ${options}`, answers(page))
    expect(stderr()).toContain(message)
    expect(code).toBe(2)
  })
})

describe('config check', () => {
  it('says what is set, or all that is wrong', async () => {
    const env = { ROLLCALL_LOG_LEVEL: 'warn' }
    const fine = await run('config check --ping-ms 2s', undefined, { env })
    expect(fine.stdout()).toMatch(
      /^the configuration is fine: 1 from flags, 1 from variables, \d+ defaults\n$/,
    )
    expect(fine.code).toBe(0)
    expect(JSON.parse((await run('config check --json')).stdout())).toEqual({ ok: true })
    const wrong = await run('config check --ping-ms soon --listen 7400 --json', undefined, { env })
    expect(JSON.parse(wrong.stderr())).toMatchObject({
      error: { code: 'invalid_argument', details: { problems: [{ key: '--ping-ms' }, { key: '--listen' }] } },
    })
    expect(wrong.code).toBe(2)
  })
})

describe('a registry that is spoken to wrongly', () => {
  it.each([
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS; try http:// instead of https://'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'name one with --ca'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is of another name; see --server-name'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'TLS fails: sslv3 alert handshake failure'],
  ])('is told in words: %s', async (fails, words) => {
    const { code, stderr } = await run('services --registry https://node', () => ({ fails }))
    expect(stderr().split('\n')[0]).toContain(words)
    expect(code).toBe(3)
  })
})
