/**
 * What `npm run pack` makes works where there is nothing else: the single executable without Node and PATH, the Debian
 * package as its unit runs it. `npm run proof pack` does the same in full, with every tarball and the small package.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { debianProgram, programOnPath } from '@rollcall/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { planDescriptors, readDescriptorLimit } from '../../packages/server/src/descriptors.js'
import { pack } from '../../tools/pack.mjs'
import { isAble } from './support/abilities.js'
import { commandOf, copyInto, environmentOf, saidBy, stageOf } from './support/dockerfile.js'
import { without } from './support/guests/guest.js'
import * as packed from './support/packed.js'
import { freePort, until } from './support/processes.js'

/** Of any year: every date in a package is this one. */
const EPOCH = 1_700_000_000
/** Of no user of this machine, and of its group. */
const USER = 64_321
const made = { folder: '', executable: '', debian: '', notMade: [] as readonly string[] }
const folders: string[] = []
const running = new Set<packed.Running>()

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-packed-'))
  folders.push(folder)
  return folder
}

function launch(...args: Parameters<typeof packed.launch>): packed.Running {
  const started = packed.launch(...args)
  running.add(started)
  return started
}

const tool = (name: string): string => programOnPath(name) ?? name
const start = (
  [path = '', ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
): packed.Running => launch(path, words, env)

/** Why no other root can be had for a command; undefined where it can. */
const rootless = (): string | undefined =>
  process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0
    ? undefined
    : 'a root of its own needs root, and a view of the mounts'

/** Runs the executable to its end, in an empty environment. */
const rollcall = (...args: string[]): Promise<packed.Ended> => launch(made.executable, args).ended

async function makePackages(): Promise<{
  executable: string
  debian: string
  folder: string
  notMade: readonly string[]
}> {
  const folder = temporary()
  const { written, notMade } = await pack(folder, { kinds: ['debian'], compression: 'none', epoch: EPOCH })
  const find = (pattern: RegExp): string => written.find((path) => pattern.test(path)) ?? ''
  return { folder, notMade, executable: find(/-linux-\w+$/), debian: find(/\.deb$/) }
}

beforeAll(async () => {
  Object.assign(made, await makePackages())
}, 120_000)

afterAll(async () => {
  for (const { process } of running) process.kill('SIGKILL')
  await Promise.all([...running].map(({ ended }) => ended))
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

it('says what it cannot make here', () => {
  expect(isAble('the packages of npm run pack', made.notMade[0])).toBe(made.debian !== '')
})

describe('the single executable, without Node, PATH or any variable', () => {
  beforeEach((context) => (made.executable === '' ? context.skip('not made here') : undefined))
  let node: packed.Running
  let url = ''

  beforeAll(async () => {
    if (made.executable === '') return
    const data = temporary()
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    const config = join(temporary(), 'node.yaml')
    writeFileSync(config, `listen: 127.0.0.1:${port}\ndata: ${data}\n`)
    node = launch(made.executable, ['serve', '--config', config, '--log-format', 'json'])
    await packed.ready(node, url)
  })

  it('knows its version and its help', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
    expect(await rollcall('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    expect((await rollcall('help', 'serve')).stdout).toContain('--limits-body-bytes-max')
    expect((await rollcall('nonsense')).code).toBe(2)
    for (const shell of ['bash', 'zsh', 'fish'])
      expect((await rollcall('completion', shell)).stdout).toContain('rollcall __complete')
    const document = (await (await fetch(`${url}/api/v1/openapi.json`)).json()) as {
      info: { version: string }
    }
    expect(document.info.version).toBe(version)
  })

  it('runs a program as an instance, which others see come and go', async () => {
    const port = String(await freePort())
    const registry = ['--registry', url]
    // What it runs is the executable itself: there is no other program here for sure.
    const inner = ['--', made.executable, 'serve', '--memory', '--listen', `127.0.0.1:${port}`]
    const instance = launch(made.executable, [
      'run',
      ...registry,
      '--service',
      'inner',
      '--port',
      port,
      ...inner,
    ])
    const list = async (): Promise<string> => (await rollcall('services', ...registry, '--json')).stdout
    await until(async () => /"service":"inner".*"up":1/.test(await list()), 'the program is registered')
    const watching = launch(made.executable, ['watch', 'inner', ...registry])
    expect((await packed.terminate(instance)).code).toBe(0)
    await until(async () => !(await list()).includes('"up":1'), 'it is gone')
    expect((await packed.terminate(watching)).stdout).toContain('inner')
  })

  it('reaches a registry by TLS, whose code is loaded only then', async () => {
    const port = await freePort()
    const { code, stderr } = await rollcall('services', '--registry', `https://127.0.0.1:${port}`)
    expect([code, stderr]).toEqual([3, expect.stringContaining('connection refused')])
  })

  it('stops in good order, with a whole journal', async () => {
    const { code, stdout } = await packed.terminate(node)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { message: string; data?: string })
    expect([code, lines.map(({ message }) => message)]).toEqual([
      0,
      expect.arrayContaining(['ready', 'stopped']),
    ])
    const data = lines.find((line) => line.data !== undefined)?.data ?? ''
    expect((await rollcall('journal', 'verify', data)).code).toBe(0)
  })
})

/** Those that the documented lines use, and no other: no Node among them. */
const TOOLS = ['install', 'sleep', 'curl', 'python3']

it('does what docs/operating/install.md says, line by line, on a PATH without Node', async (context) => {
  if (made.executable === '') context.skip('not made here')
  const missing = TOOLS.find((name) => programOnPath(name) === undefined)
  if (missing !== undefined) without(context, `there is no ${missing}`)
  const bin = temporary()
  // What is on the PATH may be a script that looks for the real one there.
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).trim()
  for (const name of TOOLS)
    symlinkSync(name === 'python3' ? python : (programOnPath(name) ?? ''), join(bin, name))
  const page = readFileSync('docs/operating/install.md', 'utf8')
  const [, lines = ''] = /^## The single executable$.*?^```sh\n(.*?)^```$/ms.exec(page) ?? []
  expect(lines.trim().split('\n').length).toBeLessThan(10)
  const script = lines.replaceAll('/usr/local/bin', bin).replaceAll('8000', String(await freePort()))
  const address = `127.0.0.1:${await freePort()}`
  const env = { PATH: bin, ROLLCALL_LISTEN: address, ROLLCALL_REGISTRY: `http://${address}` }
  const folder = temporary()
  cpSync(made.executable, join(folder, basename(made.executable)))
  // Jobs have process groups of their own, as they have where a person types.
  const whole = `set -m; trap 'kill -9 %1 %2 2>&- || true' EXIT\n${script}\nkill %1; wait %1`
  const shell = launch(programOnPath('bash') ?? '', ['-ec', whole], env, folder)
  const { code, stdout, stderr } = await shell.ended
  expect([code, stderr]).toEqual([0, expect.anything()])
  expect(stdout.match(/ (up|down|suspect) /g)).toEqual([' up ', ' down '])
})

describe('the Debian package', () => {
  beforeEach((context) => (made.debian === '' ? context.skip('not made here') : undefined))
  const root = { path: '', unit: '' }
  const value = (key: string): string => packed.valueOf(root.unit, key)

  beforeAll(() => {
    if (made.debian === '') return
    root.path = temporary()
    chmodSync(root.path, 0o755)
    execFileSync('dpkg', ['-x', made.debian, root.path])
    root.unit = readFileSync(join(root.path, 'usr/lib/systemd/system/rollcall.service'), 'utf8')
  })

  it('is made of the same bytes each time, and its sums are right', async () => {
    const again = await makePackages()
    for (const kind of ['executable', 'debian'] as const)
      expect(readFileSync(again[kind]).equals(readFileSync(made[kind]))).toBe(true)
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: made.folder })
  }, 120_000)

  it('has a unit that systemd understands and keeps in bounds', async (context) => {
    const analyze = await systemdAnalyze().catch((error: Error) => without(context, error.message))
    // All but where the command and the manual lie, which systemd looks for in this machine.
    const file = join(temporary(), 'rollcall.service')
    writeFileSync(file, root.unit.replaceAll('/usr/bin/rollcall', `${root.path}/usr/bin/rollcall`))
    const env = { ...process.env, ...analyze.env, MANPATH: `${root.path}/usr/share/man` }
    expect(execFileSync(analyze.path, ['verify', file], { env, stdio: 'pipe' }).toString()).toBe('')
    const told = execFileSync(analyze.path, ['security', '--offline=true', file], {
      env,
      stdio: 'pipe',
    }).toString()
    expect(Number(/exposure level for \S+: ([\d.]+)/.exec(told)?.[1])).toBeLessThan(2)
  })

  it('allows as many open files as the node wants for its most connections', () => {
    const limit = value('LimitNOFILE')
    const unbounded = planDescriptors(Infinity, Infinity, undefined)
    expect(planDescriptors(Number(limit), Infinity, undefined)).toEqual({
      ...unbounded,
      limit: Number(limit),
    })
  })

  it('has scripts that a shell can read, and completions that bash can', () => {
    const control = temporary()
    execFileSync('dpkg-deb', ['--control', made.debian, control])
    const readable = (shell: string, file: string): number | null => spawnSync(shell, ['-n', file]).status
    for (const script of ['postinst', 'prerm', 'postrm'])
      expect([script, readable('sh', join(control, script))]).toEqual([script, 0])
    const completions = join(root.path, 'usr/share/bash-completion/completions/rollcall')
    expect(readable('bash', completions)).toBe(0)
  })

  it('runs as its unit says, as a user without rights, and stops in time', async (context) => {
    if (!isAble('the unit in a root of its own', rootless())) context.skip('not here')
    packed.makeStateDirectory(root.path, join('/var/lib', value('StateDirectory')), USER, USER)
    await packed.copyLibraries(join(root.path, 'usr/bin/rollcall'), root.path)
    const environment = join(root.path, 'etc/default/rollcall')
    const url = `http://127.0.0.1:${await freePort()}`
    appendFileSync(environment, `ROLLCALL_LISTEN=${new URL(url).host}\n`)
    // This process may not be allowed what systemd is.
    const openFiles = Math.min(Number(value('LimitNOFILE')), readDescriptorLimit() ?? 1_024)
    const inner = packed.inRoot(root.path, `${USER}:${USER}`, value('ExecStart').split(' '), tool)
    const words = [tool('prlimit'), `--nofile=${openFiles}`, tool('setpriv'), '--no-new-privs', ...inner]
    const startUnit = (): packed.Running => start(words, packed.environmentOf(environment))
    const node = startUnit()
    await packed.ready(node, url)
    const own = ['--registry', url, '--host', '127.0.0.1', '--port', '9']
    expect(await rollcall('register', '--service', 'kept', ...own)).toMatchObject({ code: 0 })
    expect(readFileSync(`/proc/${node.process.pid}/status`, 'utf8')).toContain(`Uid:\t${USER}\t${USER}`)
    const stopped = await packed.terminate(node)
    expect([stopped.code, stopped.seconds < Number(value('TimeoutStopSec'))]).toEqual([0, true])
    const next = startUnit()
    await packed.ready(next, url)
    expect((await rollcall('services', '--registry', url)).stdout).toContain('kept')
    expect((await packed.terminate(next)).code).toBe(0)
  })
})

describe('the image', () => {
  beforeEach((context) => (made.executable === '' ? context.skip('not made here') : undefined))

  it('runs by the steps of its Dockerfile in an empty root, is healthy, and stops in time', async (context) => {
    if (!isAble('the image in a root of its own', rootless())) context.skip('not here')
    const stage = stageOf(readFileSync('packaging/docker/Dockerfile', 'utf8'), 'node')
    const out = temporary()
    cpSync(made.executable, join(out, 'rollcall'))
    cpSync(join(made.folder, 'THIRD-PARTY-NOTICES.txt'), join(out, 'THIRD-PARTY-NOTICES.txt'))
    mkdirSync(join(out, 'data'))
    const root = temporary()
    chmodSync(root, 0o755)
    copyInto(root, stage, (path) => path.replace(/^\/out/, out))
    await packed.copyLibraries(made.executable, root)
    const port = await freePort()
    const env = { ...environmentOf(stage), ROLLCALL_LISTEN: `0.0.0.0:${port}` }
    const [user = ''] = saidBy(stage, 'USER')
    const inside = (words: readonly string[], more: Record<string, string> = {}): packed.Running =>
      start(packed.inRoot(root, user, words, tool), { ...env, ...more })
    const node = inside([...commandOf(stage, 'ENTRYPOINT'), ...commandOf(stage, 'CMD')])
    await packed.ready(node, `http://127.0.0.1:${port}`)
    const healthy = (): Promise<packed.Ended> =>
      inside(commandOf(stage, 'HEALTHCHECK'), { ROLLCALL_REGISTRY: `http://127.0.0.1:${port}` }).ended
    expect(await healthy()).toMatchObject({ code: 0, stderr: '' })
    // As Compose and Kubernetes call it.
    for (const host of [`rollcall:${port}`, 'rollcall.rollcall.svc'])
      expect([host, await statusAt(port, host)]).toEqual([host, 200])
    const stopped = await packed.terminate(node)
    expect([stopped.code, stopped.seconds < 10, saidBy(stage, 'STOPSIGNAL')]).toEqual([0, true, ['SIGTERM']])
    expect((await healthy()).code).toBe(3)
  })
})

/** How a node answers a request for a list that was sent to it by a name. */
async function statusAt(port: number, host: string): Promise<number | undefined> {
  const request = get({ host: '127.0.0.1', port, path: '/api/v1/services', headers: { host } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

/** The one of this machine, else Debian's with the library that it brings. */
async function systemdAnalyze(): Promise<{ path: string; env: Record<string, string> }> {
  const own = programOnPath('systemd-analyze')
  if (own !== undefined) return { path: own, env: {} }
  const path = await debianProgram({ package: 'systemd', path: 'usr/bin/systemd-analyze' })
  const lib = join(path, '..', '..', 'lib')
  const [triplet = ''] = readdirSync(lib).filter((name) => name.endsWith('-linux-gnu'))
  return { path, env: { LD_LIBRARY_PATH: join(lib, triplet, 'systemd') } }
}
