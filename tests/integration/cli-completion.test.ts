/** The completion scripts in the shells themselves: bash always, the others where they are installed. */
import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { killCommands, startCommand, startServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const COMMAND = fileURLToPath(new URL('../../packages/cli/bin/rollcall.js', import.meta.url))

/** Completes each line given to it as if Tab had been pressed at its end, and prints what is offered in a line. */
const DRIVER = `
for line in "$@"; do
  COMP_LINE=$line COMP_POINT=\${#line}
  _rollcall
  echo "\${COMPREPLY[*]}"
done`

let folder = ''
let url = ''
const env = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
  ROLLCALL_REGISTRY: url,
})

async function rollcall(...args: readonly string[]): Promise<string> {
  const command = startCommand(args, { env: { ROLLCALL_REGISTRY: url } })
  expect((await command.exited).code).toBe(0)
  return command.stdout()
}

async function script(shell: string): Promise<string> {
  const file = join(folder, `completion.${shell}`)
  await writeFile(file, await rollcall('completion', shell))
  return file
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-completion-'))
  // The scripts find the command by its name.
  const command = `exec "${process.execPath}" "${COMMAND}" "$@"`
  await writeFile(join(folder, 'rollcall'), `#!/bin/sh\n${command}\n`)
  await chmod(join(folder, 'rollcall'), 0o755)
  ;({ url } = await startServerProcess())
  await rollcall('register', '--service', 'orders', '--host', '127.0.0.1', '--port', '3000')
  await rollcall('register', '--service', 'orders', '--host', '127.0.0.1', '--port', '3001')
  await rollcall('register', '--service', 'other', '--host', '127.0.0.1', '--port', '1', '--namespace', 'far')
})
afterAll(async () => {
  await killCommands()
  await rm(folder, { recursive: true, force: true })
})

describe('in bash', () => {
  async function complete(lines: readonly string[], breaks = ' \t\n"\'><=;|&(:'): Promise<string[]> {
    const bash = ['-c', `source "$1"; shift; COMP_WORDBREAKS=$1; shift; ${DRIVER}`, 'bash']
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      [...bash, await script('bash'), breaks, ...lines],
      { env: env(), cwd: folder },
    )
    expect(stderr).toBe('')
    return stdout.split('\n').slice(0, -1)
  }

  it('offers what may stand there', async () => {
    const offered: readonly (readonly [line: string, words: string])[] = [
      ['rollcall se', 'serve services'],
      ['rollcall journal v', 'verify'],
      ['rollcall serve --memory --admission ', 'open strict'],
      ['rollcall serve --admission=s', 'strict'],
      ['rollcall serve --config comp', 'completion.bash'],
      ['rollcall serve --config=comp', 'completion.bash'],
      ['rollcall nonsense ', ''],
      ['rollcall instances ', 'orders'],
      ['rollcall instances --namespace ', 'default far'],
      ['rollcall instances --namespace far o', 'other'],
      ['rollcall run --service x --port 1 -- env comp', 'completion.bash'],
      ['rollcall drain orders 127.0.0.1:300', '3000 3001'],
      ['rollcall explain orders 127', '127.0.0.1:3000 127.0.0.1:3001'],
    ]
    const lines = offered.map(([line]) => line)
    // Half a second may be too little for a busy machine.
    await expect
      .poll(async () => {
        const words = await complete(lines)
        return lines.map((line, at) => [line, words[at]])
      })
      .toEqual(offered)
  })

  it('gives whole ids where colons break no words', async () => {
    await expect
      .poll(() => complete(['rollcall drain orders 127.0.0.1:'], ' \t\n'))
      .toEqual(['127.0.0.1:3000 127.0.0.1:3001'])
  })

  it('offers nothing, and says nothing, without a registry', async () => {
    expect(await complete(['rollcall instances --registry http://127.0.0.1:1 '])).toEqual([''])
  })
})

const isInstalled = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined

// Fish and zsh are not on every machine; bash is.
it.skipIf(!isInstalled('fish'))('in fish, what may stand there is offered with what it means', async () => {
  const complete = async (line: string): Promise<string> => {
    const fish = ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', await script('fish'), line]
    const { stdout, stderr } = await promisify(execFile)('fish', fish, { env: env(), cwd: folder })
    expect(stderr).toBe('')
    return stdout
  }
  expect(await complete('rollcall journal v')).toBe('verify\tcheck the journal of a node\n')
  await expect
    .poll(() => complete('rollcall drain orders 127.0.0.1:300'))
    .toBe('127.0.0.1:3000\n127.0.0.1:3001\n')
  expect(await complete('rollcall serve --config comp')).toContain('completion.fish')
  expect(await complete('rollcall serve --admission=s')).toBe('--admission=strict\n')
})

// As above. Zsh completes nothing without a terminal, so only its syntax is checked.
it.skipIf(!isInstalled('zsh'))('the script is what zsh reads', async () => {
  const { stderr } = await promisify(execFile)('zsh', ['-n', await script('zsh')])
  expect(stderr).toBe('')
})
