/** The command line as a whole, against a fake network: usage, failures, listing and registering. */
import { describe, expect, it } from 'vitest'
import { commandFirst, runCommandLine } from './program.js'
import { createFakeShell, type Answer, type FakeShell, type SeenRequest } from './shell.fixture.js'

const SIGN = '0123456789abcdef'
const GROUP = { group: 'default', sign: SIGN, total: 3, up: 2 }
const SERVICES = {
  services: [
    {
      namespace: 'default',
      service: 'orders',
      sign: SIGN,
      groups: [GROUP, { ...GROUP, group: 'canary', up: 3 }],
    },
  ],
}
const INSTANCE = {
  namespace: 'default',
  service: 'orders',
  group: 'default',
  id: 'b',
  host: '10.0.0.2',
  port: 80,
  weight: 100,
  metadata: { v: '1' },
  state: 'suspect',
  stateAgeMs: 61_000,
  incarnation: 7,
  digest: SIGN,
}
const VIEW = {
  namespace: 'default',
  service: 'orders',
  sign: SIGN,
  instances: [INSTANCE, { ...INSTANCE, id: 'a', state: 'up' }],
  guard: { tripped: false, kept: 0 },
  stale: false,
}

async function run(
  line: string,
  answer?: (request: SeenRequest) => Answer,
  options?: Parameters<typeof createFakeShell>[1],
): Promise<FakeShell & { readonly code: number }> {
  const shell = createFakeShell(answer, options)
  const code = await runCommandLine(
    line.split(' ').filter((word) => word !== ''),
    shell,
  )
  return Object.assign(shell, { code })
}

const answers = (json: unknown) => (): Answer => ({ json })

describe('usage', () => {
  it.each([
    ['servces', "unknown command 'servces'\n(Did you mean services?)"],
    ['services --jsn', "unknown option '--jsn'\n(Did you mean --json?)"],
    ['services --registry', "option '--registry <url,...>' argument missing"],
    ['services extra', 'too many arguments'],
    ['instances', "missing required argument 'service'"],
    ['register --port 80', "required option '--service <name>' not specified"],
    ['register --service a --port 0', 'Write a number from 1 to 65535.'],
    ['register --service a --port 80 --state down', 'Allowed choices are starting, up, draining.'],
    ['services --timeout soon', 'Write a time such as'],
    ['services --registry ftp://x', 'is not a URL'],
    ['deregister orders', 'name the service and the id'],
    ['deregister orders a --host h', 'not both'],
    ['run --service a --port 80', "missing required argument 'command'"],
    ['journal', 'Usage: rollcall journal'],
    ['completion tcsh', 'Allowed choices are bash, zsh, fish.'],
    ['journal mend x', "unknown command 'mend'"],
    ['config', 'Usage: rollcall config'],
    ['serve --colour red', "unknown option '--colour'"],
    ['serve extra', 'too many arguments'],
    ['', 'Usage: rollcall'],
  ])('%j is refused with 2 and a word on why', async (line, message) => {
    const { code, requests, stdout, stderr } = await run(line)
    expect(stderr()).toContain(message)
    expect({ code, stdout: stdout(), requests }).toEqual({ code: 2, stdout: '', requests: [] })
  })

  it.each([
    ['--help', 'Exit codes: 0 ok'],
    ['help', 'Exit codes: 0 ok'],
    ['help watch', 'Usage: rollcall watch'],
    ['help config show', 'Usage: rollcall config show'],
    ['config help show', '--insecure-listen'],
    ['help journal repair', '--dry-run'],
    ['help config', 'Usage: rollcall config'],
    ['watch --help', 'rollcall watch orders'],
    ['run --help', '[options] -- COMMAND [ARGUMENTS...]'],
    ['serve --help', '--insecure-listen'],
    ['journal repair --help', '--dry-run'],
    ['--version', '0.'],
  ])('%j is answered on standard output with 0', async (line, text) => {
    const { code, stdout, stderr } = await run(line)
    expect(stdout()).toContain(text)
    expect({ code, stderr: stderr() }).toEqual({ code: 0, stderr: '' })
  })

  it('takes options in front of the command as well', () => {
    expect(commandFirst(['--registry', 'http://a', '--json', 'instances', 'x'])).toEqual([
      'instances',
      '--registry',
      'http://a',
      '--json',
      'x',
    ])
    expect(commandFirst(['--json', 'journal', 'verify', 'd'])).toEqual(['journal', 'verify', '--json', 'd'])
    expect(commandFirst(['--registry=http://a', 'run', '--', 'x'])).toEqual([
      'run',
      '--registry=http://a',
      '--',
      'x',
    ])
    for (const option of ['--namespace', '--group', '--timeout', '--ca', '--cert', '--key', '--server-name'])
      expect(commandFirst([option, 'x', 'services'])).toEqual(['services', option, 'x'])
    for (const line of [['services', '--json'], ['--help', 'services'], ['--json'], ['--', 'services'], []])
      expect(commandFirst(line)).toEqual(line)
  })
})

describe('options of TLS that cannot work', () => {
  it.each([
    ['--ca package.json', 'ca is no PEM'],
    ['--cert package.json', 'a certificate and its key go together'],
    ['--server-name 10.0.0.1', 'the server name is a host name, not an address'],
  ])('%s is refused before anything is asked', async (option, why) => {
    const { code, stderr, requests } = await run(`services ${option}`, answers(SERVICES))
    expect(stderr()).toContain(why)
    expect({ code, requests }).toEqual({ code: 2, requests: [] })
  })
})

describe('a registry out of reach', () => {
  it('is told in one line, with what to do, and 3', async () => {
    const { code, stdout, stderr } = await run('services --registry 10.9.9.9:7400')
    expect(stderr()).toBe(
      'rollcall: no registry answers at http://10.9.9.9:7400: connection refused\nStart a registry with `rollcall serve`, or name another one with --registry URL.\n',
    )
    expect({ code, stdout: stdout() }).toEqual({ code: 3, stdout: '' })
  })

  it('is told to scripts as JSON', async () => {
    const { code, stderr } = await run('--json instances orders')
    expect(JSON.parse(stderr())).toMatchObject({ error: { code: 'unreachable' } })
    expect(code).toBe(3)
  })

  it('is looked for where the environment says, unless an option says otherwise', async () => {
    const env = { ROLLCALL_REGISTRY: 'http://a:1,http://b:2' }
    const hosts = ({ requests }: FakeShell): string[] => requests.map(({ url }) => new URL(url).host)
    expect(hosts(await run('services', undefined, { env }))).toEqual(['a:1', 'b:2'])
    expect(hosts(await run('services --registry c:3', undefined, { env }))).toEqual(['c:3'])
    expect(hosts(await run('services'))).toEqual(['127.0.0.1:7400'])
    const wrong = await run('services', undefined, { env: { ROLLCALL_REGISTRY: 'ftp://a' } })
    expect(wrong.stderr()).toContain('ROLLCALL_REGISTRY')
    expect(wrong.code).toBe(2)
  })
})

describe('services', () => {
  it('shows a row per group', async () => {
    const { code, stdout } = await run('services', answers(SERVICES))
    expect(stdout()).toBe(
      'NAMESPACE  SERVICE  GROUP    UP  TOTAL\ndefault    orders   default   2      3\ndefault    orders   canary    3      3\n',
    )
    expect(code).toBe(0)
  })

  it('prints JSON for scripts, narrowed to a group', async () => {
    const { stdout } = await run('services --json --group canary', answers(SERVICES))
    expect(JSON.parse(stdout())).toMatchObject({
      services: [{ service: 'orders', groups: [{ group: 'canary' }] }],
    })
  })

  it('paints on a terminal only, and never with NO_COLOR', async () => {
    const terminal = await run('services', answers(SERVICES), { isTerminal: true })
    expect(terminal.stdout()).toContain('\u001b[33m2\u001b[39m')
    const plain = await run('services', answers(SERVICES), { isTerminal: true, env: { NO_COLOR: '1' } })
    expect(plain.stdout()).not.toContain('\u001b')
  })
})

describe('instances', () => {
  it('shows them in order', async () => {
    const { stdout } = await run('instances orders --state up,suspect', answers(VIEW))
    expect(stdout()).toBe(
      'GROUP    ID  ADDRESS      STATE    FOR  WEIGHT\ndefault  a   10.0.0.2:80  up       61s     100\ndefault  b   10.0.0.2:80  suspect  61s     100\n',
    )
  })

  it('says it when the list is not to be taken at its word', async () => {
    const { stderr } = await run(
      'instances orders',
      answers({ ...VIEW, instances: [], guard: { tripped: true, kept: 2 }, stale: true }),
    )
    expect(stderr()).toMatch(/may be missing\.\n.*kept in the list: 2\./)
  })

  it('says nothing beside the list of a node that has just started', async () => {
    const { stderr } = await run('instances orders', answers({ ...VIEW, stale: true }))
    expect(stderr()).toBe('')
  })

  it('fails for an unknown service', async () => {
    const error = { code: 'unknown_service', message: 'nobody registered or declared orders' }
    const { code, stderr } = await run('instances orders', () => ({ status: 404, json: { error } }))
    expect({ code, stderr: stderr() }).toEqual({
      code: 1,
      stderr: 'rollcall: nobody registered or declared orders\n',
    })
  })
})

describe('register', () => {
  const registered = {
    results: [{ ok: true, service: 'db', group: 'default', id: 'x', incarnation: 5, durability: 'disk' }],
    warnings: ['odd'],
  }

  it('registers for probing, at the address the registry sees, and says so', async () => {
    const { code, requests, stdout, stderr } = await run(
      'register --service db --port 5432 --metadata a=b --metadata c=d --weight 0 --namespace n',
      answers(registered),
    )
    expect(requests[0]?.body).toEqual({
      namespace: 'n',
      instances: [
        {
          service: 'db',
          port: 5432,
          weight: 0,
          metadata: { a: 'b', c: 'd' },
          host: '10.0.0.7',
          liveness: 'probe',
        },
      ],
    })
    expect(stdout()).toBe('registered db/default x (incarnation 5, durability disk)\n')
    expect(stderr()).toContain('liveness: probe')
    expect(stderr()).toContain('odd')
    expect(code).toBe(0)
  })

  it('fails when the registry refuses, naming the option and not the item of a batch', async () => {
    const error = { code: 'invalid_argument', message: 'zone is no name', field: 'instances[0].zone' }
    const { code, stderr } = await run('register --service db --port 1 --zone !', () => ({
      status: 400,
      json: { results: [{ ok: false, error }] },
    }))
    expect({ code, stderr: stderr() }).toEqual({ code: 2, stderr: 'rollcall: zone is no name\n' })
  })
})

describe('deregister', () => {
  const ref = { namespace: 'default', service: 'orders', group: 'default', id: 'b' }
  const none = { removed: [], unknown: [], superseded: [], durability: 'disk' }

  it('names the incarnation that is registered now', async () => {
    const { code, requests, stdout } = await run('deregister orders b', ({ method }) => ({
      json: method === 'GET' ? INSTANCE : { ...none, removed: [ref] },
    }))
    expect(requests[1]?.body).toEqual({ instances: [{ ...ref, incarnation: 7 }], by: 'ann' })
    expect({ code, stdout: stdout() }).toEqual({ code: 0, stdout: 'deregistered orders/default b\n' })
  })

  it('fails when something else was registered meanwhile', async () => {
    const error = { code: 'superseded', message: 'nothing was removed' }
    const { code, stderr } = await run('deregister orders b', ({ method }) =>
      method === 'GET' ? { json: INSTANCE } : { status: 409, json: { ...none, error, superseded: [ref] } },
    )
    expect(stderr()).toContain('nothing was removed')
    expect(code).toBe(1)
  })

  it('fails where nothing was removed, also with a registry that calls it a success', async () => {
    const { code, stderr } = await run('deregister --host 10.0.0.5', answers(none))
    expect({ code, stderr: stderr() }).toEqual({ code: 1, stderr: 'Nothing was removed.\n' })
  })

  it('says by whom and why', async () => {
    const { requests } = await run(
      'deregister --host 10.0.0.5 --by bob --why dead',
      answers({ ...none, removed: [ref] }),
    )
    expect(requests[0]?.body).toMatchObject({ by: 'bob', why: 'dead' })
  })

  it('shows what a host call would take and asks for --confirm', async () => {
    const error = {
      code: 'needs_confirmation',
      message: 'this takes 1 instances',
      field: 'confirm',
      details: { instances: [ref] },
    }
    const { code, requests, stdout, stderr } = await run('deregister --host 10.0.0.5', () => ({
      status: 409,
      json: { error },
    }))
    expect(requests[0]?.body).toEqual({
      namespace: 'default',
      host: '10.0.0.5',
      confirm: false,
      by: 'ann',
    })
    expect(stderr()).toContain('NAMESPACE  SERVICE  GROUP    ID\ndefault    orders   default  b\n')
    expect(stderr()).toContain('repeat the command with --confirm')
    expect({ code, stdout: stdout() }).toEqual({ code: 1, stdout: '' })
  })

  it('confirms when told to, in every namespace if asked', async () => {
    const { code, requests } = await run(
      'deregister --host 10.0.0.5 --confirm --namespace *',
      answers({ ...none, removed: [ref] }),
    )
    expect(requests[0]?.body).toEqual({ namespace: '*', host: '10.0.0.5', confirm: true, by: 'ann' })
    expect(code).toBe(0)
  })
})

describe('config show', () => {
  const env = { ROLLCALL_LOG_LEVEL: 'warn' }
  type Shown = Readonly<Record<'key' | 'value' | 'origin', unknown>>

  it('prints each setting with its value and origin', async () => {
    const { code, stdout } = await run('config show --ping-ms 1000', undefined, { env })
    expect(code).toBe(0)
    expect(stdout()).toMatch(
      /^SETTING +VALUE +ORIGIN\nlisten +127\.0\.0\.1:7400 +default\nadvertise +- +default\n/,
    )
    expect(stdout()).toMatch(/^logLevel +warn +ROLLCALL_LOG_LEVEL$/m)
    expect(stdout()).toMatch(/^pingMs +1s +--ping-ms$/m)
  })

  it('prints JSON for scripts, with null for what is absent', async () => {
    const { stdout } = await run('--json config show --ping-ms 1000', undefined, { env })
    const { settings } = JSON.parse(stdout()) as { readonly settings: readonly Shown[] }
    expect(settings).toContainEqual({
      key: 'pingMs',
      value: 1_000,
      origin: { source: 'flag', name: '--ping-ms' },
    })
    expect(settings).toContainEqual({ key: 'nodeId', value: null, origin: { source: 'default', name: '' } })
  })

  it('tells everything that is wrong at once, with 2', async () => {
    const { code, stdout, stderr } = await run('config show --ping-ms 1', undefined, {
      env: { ROLLCALL_MEMORY: 'so' },
    })
    expect(stderr()).toContain(
      'environment: ROLLCALL_MEMORY must be true or false\n  flags: --ping-ms must be',
    )
    expect({ code, stdout: stdout() }).toEqual({ code: 2, stdout: '' })
  })
})
