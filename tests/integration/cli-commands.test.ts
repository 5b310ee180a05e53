/** Every command once, against a real server. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  killCommands,
  startCommand,
  startServerProcess,
  type CommandOptions,
  type ServerProcess,
} from '@rollcall/testkit'
import type { ClusterResponse } from '@rollcall/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function rollcall(args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const command = startCommand(args, options)
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

/** A port on which something accepts connections, for as long as the test runs. */
function open(): Promise<{ readonly server: Server; readonly port: number }> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1', () =>
      resolve({ server, port: (server.address() as AddressInfo).port }),
    )
  })
}

describe('against a server', () => {
  let node: ServerProcess
  let provider: Awaited<ReturnType<typeof open>>
  const ask = (...args: readonly string[]): Promise<Outcome> =>
    rollcall(args, { env: { ROLLCALL_REGISTRY: node.url } })

  beforeAll(async () => {
    node = await startServerProcess()
    provider = await open()
  })
  afterAll(async () => {
    provider.server.close()
    await killCommands()
  })

  it('registers, lists and deregisters', async () => {
    const id = `127.0.0.1:${provider.port}`
    const registered = await ask(
      'register',
      '--service',
      'db',
      '--port',
      String(provider.port),
      '--metadata',
      'role=primary',
    )
    expect(registered).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`registered db/default ${id}`) as string,
    })
    expect(registered.stderr).toContain('liveness: probe')

    const services = await ask('services')
    expect(services).toMatchObject({ code: 0, stderr: '' })
    expect(services.stdout).toMatch(/^NAMESPACE +SERVICE +GROUP +UP +TOTAL\ndefault +db +default +1 +1\n/)
    const list = await ask('instances', 'db', '--json')
    expect(JSON.parse(list.stdout)).toMatchObject({
      service: 'db',
      instances: [{ id, state: 'up', metadata: { role: 'primary' } }],
    })

    expect(await ask('deregister', 'db', id)).toMatchObject({
      code: 0,
      stdout: `deregistered db/default ${id}\n`,
    })
    expect(await ask('deregister', 'db', id)).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse((await ask('instances', 'db', '--json')).stdout)).toMatchObject({ instances: [] })
  })

  it('shows a node by itself as a cluster of one', async () => {
    const shown = await ask('cluster')
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    expect(shown.stdout).toContain('\ncluster  rollcall, 1 node\nengine   none: ')
    const { nodes } = JSON.parse((await ask('cluster', '--json')).stdout) as ClusterResponse
    expect(nodes).toMatchObject([{ address: node.url.replace('http://', ''), state: 'ready', sessions: 0 }])
  })

  it('says of an instance that the node may not probe what becomes of it', async () => {
    const mute = await ask('register', '--service', 'mute', '--host', '192.0.2.9', '--port', '80')
    expect(mute).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('registered mute/default') as string,
    })
    expect(mute.stderr).toBe(
      'rollcall: 192.0.2.9:80 of mute will be suspect in 7.5 s: its liveness is probe, and this node may not probe 192.0.2.9, which is neither the address of the caller nor in its probeNetworks\n',
    )
    await ask('deregister', 'mute', '192.0.2.9:80')
  })

  it('asks before it takes out most of a service by host', async () => {
    for (let n = 0; n < 5; n++) {
      await ask(
        'register',
        '--service',
        'many',
        '--host',
        '127.0.0.1',
        '--id',
        `i${n}`,
        '--port',
        String(provider.port),
      )
    }
    const refused = await ask('deregister', '--host', '127.0.0.1')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(/default +many +default +i4\n/)
    expect(refused.stderr).toContain('--confirm')
    const done = await ask('deregister', '--host', '127.0.0.1', '--confirm', '--json')
    expect(done.code).toBe(0)
    expect((JSON.parse(done.stdout) as { removed: unknown[] }).removed).toHaveLength(5)
  })

  it('holds a registration until it is told to stop', async () => {
    const holder = startCommand([
      'register',
      '--service',
      'held',
      '--host',
      '127.0.0.1',
      '--port',
      String(provider.port),
      '--hold',
      '--registry',
      node.url,
    ])
    await holder.written(/registered held\/default/)
    expect((await ask('instances', 'held')).stdout).toContain('up')
    expect(await holder.stop('SIGINT')).toEqual({ code: 0, signal: null })
    expect((await ask('instances', 'held', '--json')).stdout).toContain('"instances":[]')
  })

  it('follows changes, for people and for scripts', async () => {
    const people = startCommand(['watch', 'seen', '--registry', node.url])
    const script = startCommand(['watch', 'seen', '--json', '--registry', node.url])
    await Promise.all([people.written(/^seen: 0 instances\n/), script.written(/"event":"list"/)])
    const id = `127.0.0.1:${provider.port}`
    await ask('register', '--service', 'seen', '--port', String(provider.port))
    await ask('deregister', 'seen', id)
    await Promise.all([people.written(/ - .*deregistered\n/), script.written(/"event":"removed".*\n/)])
    expect(people.stdout().replaceAll(/\d\d:\d\d:\d\d\.\d{3}/g, 'T')).toBe(
      `seen: 0 instances\nT  +  seen/default  ${id}  up\nT  -  seen/default  ${id}  deregistered\n`,
    )
    const lines = script
      .stdout()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([
      { event: 'list', service: 'seen', instances: [] },
      { event: 'added', instance: { id, state: 'up' } },
      { event: 'removed', instance: { id }, reason: 'deregistered' },
    ])
    await Promise.all([people.kill(), script.kill()])
  })

  it('ends quietly when its reader has seen enough', async () => {
    const watcher = startCommand(['watch', 'piped', '--registry', node.url])
    await watcher.written(/^piped:/)
    watcher.process.stdout?.destroy()
    await ask('register', '--service', 'piped', '--port', String(provider.port))
    expect(await watcher.exited).toEqual({ code: 0, signal: null })
    expect(watcher.stderr()).toBe('')
  })

  it('knows the registry by --registry too, and the next one when one is down', async () => {
    const dead = await open()
    await new Promise((resolve) => dead.server.close(resolve))
    expect(
      await rollcall(['--registry', `http://127.0.0.1:${dead.port},${node.url}`, 'services']),
    ).toMatchObject({ code: 0 })
  })
})

describe('without a server', () => {
  let closedPort: number
  let directory: string
  beforeAll(async () => {
    const { server, port } = await open()
    await new Promise((resolve) => server.close(resolve))
    closedPort = port
    directory = await mkdtemp(join(tmpdir(), 'rollcall-cli-'))
  })
  afterEach(killCommands)
  afterAll(() => rm(directory, { recursive: true }))

  it.each([
    ['services'],
    ['instances', 'a'],
    ['deregister', 'a', 'b'],
    ['register', '--service', 'a', '--port', '1'],
    ['register', '--service', 'a', '--port', '1', '--hold'],
    ['watch', 'a'],
  ])('%s says so and exits with 3', async (...args) => {
    const url = `http://127.0.0.1:${closedPort}`
    const { code, stdout, stderr } = await rollcall([...args, '--registry', url, '--timeout', '500ms'])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain(`no registry answers at ${url}`)
    expect(stderr).toContain('rollcall serve')
    expect(stderr.trimEnd().split('\n')).toHaveLength(2)
  })

  it.each([
    [['nonsense']],
    [['services', '--nonsense']],
    [['serve', '--nonsense', '1']],
    [['serve', '--memory', '--listen', 'nowhere']],
    [['serve', '--memory', '--data', 'x']],
    [['serve', 'now']],
  ])('%j is refused with 2, without a stack', async (args) => {
    const { code, stdout, stderr } = await rollcall(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^rollcall: /)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  it('serve names the address that is taken, and exits with 1', async () => {
    const { server, port } = await open()
    const { code, stderr } = await rollcall(['serve', '--memory', '--listen', `127.0.0.1:${port}`])
    server.close()
    expect(stderr).toContain(`127.0.0.1:${port}`)
    expect(stderr).toContain('--listen')
    expect(code).toBe(1)
  })

  it('serve keeps its journal where it is told, and stops in good order', async () => {
    const data = join(directory, 'data')
    const node = await startServerProcess({ dataDir: data, args: ['--ping-ms', '1000', '--log-format=text'] })
    const { code } = await rollcall([
      'register',
      '--service',
      'kept',
      '--host',
      '127.0.0.1',
      '--port',
      '1',
      '--registry',
      node.url,
    ])
    expect(code).toBe(0)
    expect(node.stderr()).toContain(`data in ${data}`)
    expect(await node.stop()).toEqual({ code: 0, signal: null })

    const sound = await rollcall(['journal', 'verify', data])
    expect(sound).toMatchObject({ code: 0, stderr: '' })
    expect(sound.stdout).toMatch(/^FILE .*\n(.*\n)*A node starts from it with 1 entries\.\n$/)
    expect(await rollcall(['journal', 'repair', data])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing to repair') as string,
    })
    expect(await rollcall(['journal', 'verify', join(directory, 'elsewhere')])).toMatchObject({
      code: 1,
      stdout: '',
    })
  })

  it('journal names the damaged file, says what a repair would cost, and repairs', async () => {
    const data = join(directory, 'damaged')
    const node = await startServerProcess({ dataDir: data })
    for (const service of ['a', 'b', 'c']) {
      await rollcall([
        'register',
        '--service',
        service,
        '--host',
        '127.0.0.1',
        '--port',
        '1',
        '--registry',
        node.url,
      ])
    }
    await node.stop()
    const name = (await readdir(data)).filter((file) => file.endsWith('.log')).sort()[0] ?? ''
    const bytes = await readFile(join(data, name))
    bytes[bytes.indexOf('"b"') + 1] = 0x78
    await writeFile(join(data, name), bytes)

    const refused = await rollcall(['serve', '--data', data, '--listen', '127.0.0.1:0'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(name)
    expect(refused.stderr).toContain('rollcall journal repair')
    const verified = await rollcall(['journal', 'verify', data])
    expect(verified.code).toBe(1)
    expect(verified.stdout).toMatch(new RegExp(`^${name} +current .* damaged at byte`, 'm'))
    const planned = await rollcall(['journal', 'repair', '--dry-run', data])
    expect(planned).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('entries would be saved') as string,
    })
    expect((await rollcall(['journal', 'verify', data])).code).toBe(1)
    expect(JSON.parse((await rollcall(['journal', 'repair', '--json', data])).stdout)).toMatchObject({
      needed: true,
      dryRun: false,
    })
    expect((await rollcall(['journal', 'verify', data])).code).toBe(0)

    const again = await startServerProcess({ dataDir: data })
    const { stdout } = await rollcall(['services', '--registry', again.url, '--json'])
    expect(
      (JSON.parse(stdout) as { services: { service: string }[] }).services.map(({ service }) => service),
    ).toEqual(['a', 'c'])
  })
})
