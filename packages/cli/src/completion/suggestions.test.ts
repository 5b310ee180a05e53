/** Completion: every row is a line with the cursor at its end, and what a shell is told may stand there. */
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { createWholeProgram, runCommandLine } from '../program.js'
import { createFakeShell, type FakeShell, type SeenRequest } from '../shell.fixture.js'
import { suggest } from './suggestions.js'

/** What the command prints for a line: the first column, and whether it succeeded. */
async function complete(line: string, shell: FakeShell = createFakeShell()): Promise<string[]> {
  const code = await runCommandLine(['__complete', ...line.split(' ')], shell)
  const words = shell.stdout().split('\n').slice(0, -1)
  expect(code === 0 || words.length === 0).toBe(true)
  return words.map((word) => word.replace(/\t.*/, ''))
}

describe('a line is completed', () => {
  it.each<readonly [line: string, words: string]>([
    ['se', 'serve services'],
    ['nonsense ', ''],
    ['journal ', 'verify repair backup restore help'],
    ['journal v', 'verify'],
    ['help jour', 'journal'],
    ['help journal r', 'repair restore'],
    ['journal verify ', '@directories'],
    ['journal restore ', '@files'],
    ['journal backup --to ', '@files'],
    ['--json inst', 'instances'],
    ['--json instances --st', '--state'],
    ['serve --log-', '--log-level --log-format'],
    ['serve -', '--listen'],
    ['serve --memory --admission ', 'open strict'],
    ['serve --memory --admission s', 'strict'],
    ['serve --admission=s', '--admission=strict'],
    ['serve --unknown=s', ''],
    ['serve --memory ', 'true false'],
    ['serve --memory --adm', '--admission'],
    ['serve --config comp', '@files'],
    ['serve --data ', '@directories'],
    ['instances orders --zone ', ''],
    ['instances --state up,d', 'up,draining up,down up,disabled'],
    ['instances --json --st', '--state'],
    ['completion ', 'bash zsh fish'],
    ['completion bash ', ''],
    ['run --service x --port 1 -- en', '@programs'],
    ['run --service x --port 1 -- env comp', '@files'],
    ['run --service x --port 1 -- env --', '@files'],
  ])('%s', async (line, words) => {
    const found = await complete(line)
    expect(line === 'serve -' ? found.slice(0, 1).join(' ') : found.join(' ')).toBe(words)
  })

  it('with what words and options mean', async () => {
    const shell = createFakeShell()
    await complete('journal verify --j', shell)
    await complete('se', shell)
    expect(shell.stdout()).toBe(
      '--json\tJSON for scripts\nserve\trun a registry node\nservices\tlist services\n',
    )
  })

  it('for every command and option there is', async () => {
    const whole = await createWholeProgram(createFakeShell())
    const top = whole.commands.map((command) => command.name())
    expect(await complete('')).toEqual([...top, 'help'])
    const all = whole.commands.flatMap((command) =>
      command.commands.length > 0 ? command.commands : [command],
    )
    expect(all.length).toBeGreaterThan(15)
    for (const command of all) {
      const name = [command.parent?.name() === 'rollcall' ? '' : command.parent?.name(), command.name()]
      const long = command.options.map((option) => option.long)
      expect(await complete(`${name.join(' ').trim()} --`)).toEqual([...long, '--help'])
    }
  })

  it('by the declarations of any program', async () => {
    const program = new Command('x')
    program.command('open').argument('<file>').option('-m, --mode <r|w>', 'how').option('-q', 'quietly')
    const words = (...line: readonly string[]): Promise<string[]> => suggest(program, line, createFakeShell())
    expect(await words('open', '-m', '')).toEqual(['r', 'w'])
    expect(await words('open', '-')).toEqual([
      '--mode\thow',
      '-q\tquietly',
      '--help\tdisplay help for command',
    ])
    expect(await words('open', '')).toEqual([])
  })
})

describe('what the registry has', () => {
  const sign = '0123456789abcdef'
  const service = (namespace: string, name: string): object => ({
    namespace,
    service: name,
    sign,
    groups: ['default', `of-${name}`].map((group) => ({ group, sign, total: 1, up: 1 })),
  })
  const instance = (id: string): object => ({
    ...{ namespace: 'default', service: 'orders', group: 'default', id, host: 'h', port: 80, weight: 100 },
    ...{ metadata: {}, state: 'up', stateAgeMs: 0, incarnation: 1, digest: sign },
  })
  const view = {
    ...{ namespace: 'default', service: 'orders', sign, stale: false, guard: { tripped: false, kept: 0 } },
    instances: ['10.0.0.1:80', 'a b', '10.0.0.1:81'].map(instance),
  }
  const answer = ({ url }: SeenRequest): { status?: number; json: unknown } => {
    const { pathname, searchParams } = new URL(url)
    if ([...searchParams.values()].includes('')) return { status: 400, json: {} } // as a node does
    if (pathname !== '/api/v1/services') return { json: view }
    const services = [service('default', 'orders'), service('default', 'offers'), service('far', 'other')]
    const [namespace, prefix] = [searchParams.get('namespace'), searchParams.get('prefix') ?? '']
    return {
      json: {
        services: (services as { namespace: string; service: string }[]).filter(
          (each) => (namespace ?? each.namespace) === each.namespace && each.service.startsWith(prefix),
        ),
      },
    }
  }
  const asked = async (line: string): Promise<readonly [words: string, urls: string]> => {
    const shell = createFakeShell(answer)
    const words = await complete(line, shell)
    return [
      words.join(' '),
      shell.requests.map(({ url }) => url.replace('http://127.0.0.1:7400', '')).join(' '),
    ]
  }

  it.each<readonly [line: string, words: string, urls: string]>([
    ['instances ', 'offers orders', '/api/v1/services?namespace=default'],
    ['instances or', 'orders', '/api/v1/services?namespace=default&prefix=or'],
    ['watch orders of', 'offers', '/api/v1/services?namespace=default&prefix=of'],
    ['run --service or', 'orders', '/api/v1/services?namespace=default&prefix=or'],
    ['instances --namespace far o', 'other', '/api/v1/services?namespace=far&prefix=o'],
    ['instances --namespace=far o', 'other', '/api/v1/services?namespace=far&prefix=o'],
    ['instances --namespace ', 'default far', '/api/v1/services'],
    ['instances --namespace=f', '--namespace=far', '/api/v1/services'],
    ['instances orders --group ', 'default of-orders', '/api/v1/services?namespace=default&prefix=orders'],
    [
      '--registry http://x drain orders 10.0.0.1:8',
      '10.0.0.1:80 10.0.0.1:81',
      'http://x/api/v1/services/orders?namespace=default&every=0ms',
    ],
    ['restore orders a ', '10.0.0.1:80 10.0.0.1:81', '/api/v1/services/orders?namespace=default&every=0ms'],
  ])('%s', async (line, words, urls) => {
    expect(await asked(line)).toEqual([words, urls])
  })

  it('is asked of the environment’s registry too', async () => {
    const shell = createFakeShell(answer, { env: { ROLLCALL_REGISTRY: 'http://node:1' } })
    await complete('instances o', shell)
    expect(shell.requests[0]?.url).toBe('http://node:1/api/v1/services?namespace=default&prefix=o')
  })

  it('is asked only where it may stand', async () => {
    const shell = createFakeShell(answer)
    for (const line of ['', 'se', 'instances --', 'serve --data ', 'completion ']) await complete(line, shell)
    expect(shell.requests).toEqual([])
  })

  it('is nothing where no registry answers', async () => {
    expect(await complete('instances ')).toEqual([])
    expect(await complete('instances --registry :: ')).toEqual([])
  })

  it('is nothing after half a second', async () => {
    const shell = createFakeShell(() => 'hang')
    const completing = complete('instances ', shell)
    await expect.poll(() => shell.requests.length).toBe(1)
    shell.clock.advance(499)
    expect(shell.clock.timers.length).toBe(1)
    shell.clock.advance(1)
    expect(await completing).toEqual([])
  })
})

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (name) => {
  it('asks the command, and no registry by being made', async () => {
    const shell = createFakeShell()
    expect(await runCommandLine(['completion', name], shell)).toBe(0)
    expect(shell.stdout()).toContain('rollcall __complete')
    expect(shell.requests).toEqual([])
  })
})
