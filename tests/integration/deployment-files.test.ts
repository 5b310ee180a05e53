/** The files for Docker, Compose and Kubernetes: what they say to a node is true, and what they start works together. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { killCommands, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { commandOf, environmentOf, saidBy, stageOf } from './support/dockerfile.js'
import { until } from './support/processes.js'

const IMAGE = stageOf(readFileSync('packaging/docker/Dockerfile', 'utf8'), 'node')
const [PORT = ''] = saidBy(IMAGE, 'EXPOSE')
const [VOLUME = ''] = commandOf(IMAGE, 'VOLUME')

let node: ServerProcess
/** How long a node takes to stop at most, unless it is told otherwise. */
let stopSeconds = 0

beforeAll(async () => {
  node = await startServerProcess()
  const shown = startCommand(['config', 'show', '--json'])
  await shown.exited
  const { settings } = JSON.parse(shown.stdout()) as { settings: readonly { key: string; value: unknown }[] }
  stopSeconds = Number(settings.find(({ key }) => key === 'stopMs')?.value) / 1_000
})

afterAll(killCommands)

/** What a node says of settings that a file hands it: exit code 0 when it would start from them. */
async function judged(env: Readonly<Record<string, string>>): Promise<unknown[]> {
  const command = startCommand(['config', 'show'], { env })
  const { code } = await command.exited
  return [code, command.stderr()]
}

describe('the image', () => {
  it('tells the node what it understands, and agrees with itself', async () => {
    const env = environmentOf(IMAGE)
    expect(await judged(env)).toEqual([0, ''])
    expect([env['ROLLCALL_LISTEN'], env['ROLLCALL_DATA']]).toEqual([`0.0.0.0:${PORT}`, VOLUME])
    expect(await judged({ ...env, ROLLCALL_INSECURE_LISTEN: 'false' })).toEqual([2, expect.any(String)])
  })

  it('builds from nothing but what the repository has', () => {
    const ignored = readFileSync('packaging/docker/Dockerfile.dockerignore', 'utf8').split('\n')
    for (const path of [
      'packages',
      'tools',
      'examples',
      'packaging',
      'package-lock.json',
      '.npmrc',
      'LICENSE',
    ])
      expect([path, existsSync(path), ignored.includes(path)]).toEqual([path, true, false])
  })
})

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image: string
        readonly command?: readonly string[]
        readonly environment?: Readonly<Record<string, string>>
        readonly volumes?: readonly string[]
        readonly ports?: readonly string[]
        readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string }
        readonly stop_grace_period?: string
        readonly ulimits?: { readonly nofile: number }
      }
    >
  >
  readonly volumes: Readonly<Record<string, null>>
}

describe('compose.yaml', () => {
  const folder = 'packaging/docker'
  const compose = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }) as Compose
  const services = Object.entries(compose.services)
  const started = new Set<ChildProcess>()

  afterEach(async () => {
    for (const child of started) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    started.clear()
  })

  it('names files, stages and volumes that there are', () => {
    for (const [name, { build, volumes = [] }] of services) {
      if (build !== undefined) {
        const file = readFileSync(join(folder, build.context, build.dockerfile), 'utf8')
        expect([name, stageOf(file, build.target).length > 0]).toEqual([name, true])
      }
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        const there = source.startsWith('.') ? existsSync(join(folder, source)) : source in compose.volumes
        expect([name, source, there]).toEqual([name, source, true])
      }
    }
  })

  it('publishes nothing beyond this machine, and gives a node the time to stop', () => {
    for (const port of services.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:/)
    const { rollcall } = compose.services
    expect(rollcall?.ports).toEqual([`127.0.0.1:${PORT}:${PORT}`])
    expect(rollcall?.volumes).toEqual([`data:${VOLUME}`])
    expect(Number(rollcall?.stop_grace_period?.replace(/s$/, ''))).toBeGreaterThan(stopSeconds)
  })

  it('starts services that find one another by the name of the node in it', async () => {
    const own = services.filter(([, { image }]) => image === 'rollcall-shop')
    const start = (
      command: readonly string[],
      environment: Readonly<Record<string, string>>,
    ): ChildProcess => {
      const [program = '', ...args] = command
      // All but the port, which on this machine another node may have.
      const registry = environment['ROLLCALL_REGISTRY']?.replace(`:${PORT}`, `:${node.port}`) ?? ''
      const preload = pathToFileURL('tests/integration/support/names-preload.mjs').href
      const env = {
        PATH: process.env['PATH'] ?? '',
        ...environment,
        ROLLCALL_REGISTRY: registry,
        NODE_OPTIONS: `--import=${preload}`,
        TEST_NAMES: Object.keys(compose.services).join(','),
      }
      const child = spawn(program === 'node' ? process.execPath : program, args, {
        cwd: 'examples/shop',
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      started.add(child)
      return child
    }
    for (const [name, { command = [], environment = {} }] of own)
      if (name !== 'customer') start(command, environment)
    const listed = async (): Promise<string> => (await fetch(`${node.url}/api/v1/services`)).text()
    await until(async () => (await listed()).match(/"up":1/g)?.length === 3, 'three services are up')
    const { command = [], environment = {} } = compose.services['customer'] ?? {}
    const customer = start([...command, '50'], environment)
    let said = ''
    customer.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    expect((await once(customer, 'close'))[0]).toBe(0)
    expect(said).toContain('50 orders placed, 0 failed')
    await expectMetrics()
  })

  /** What Prometheus of the file is told, and what it finds there. */
  async function expectMetrics(): Promise<void> {
    const groups = (await (await fetch(`${node.url}/prometheus/sd`)).json()) as readonly {
      targets: readonly string[]
      labels: Readonly<Record<string, string>>
    }[]
    expect(groups).toHaveLength(3)
    for (const { targets, labels } of groups) {
      const path = labels['__meta_rollcall_metadata_metrics_path'] ?? ''
      expect(await (await fetch(`http://${targets[0]}${path}`)).text()).toMatch(/^shop_answers_total [1-9]/m)
    }
  }
})

interface Manifest {
  readonly kind: string
  readonly metadata?: { readonly name: string }
  // oxlint-disable-next-line typescript/no-explicit-any -- the proof holds manifests against Kubernetes' own types
  readonly [key: string]: any
}

describe('the manifests for Kubernetes', () => {
  const folder = 'packaging/kubernetes'
  const files = readdirSync(folder).filter((name) => name !== 'kustomization.yaml')
  const manifests = files.flatMap((name) =>
    parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map(
      (document) => document.toJS() as Manifest,
    ),
  )
  const one = (kind: string): Manifest =>
    manifests.find((manifest) => manifest.kind === kind) ?? expect.fail(kind)

  it('are all applied, to pods that carry their labels', () => {
    const list = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Manifest
    expect(list['resources'].toSorted()).toEqual(files.toSorted())
    const { selector, template } = one('StatefulSet')['spec']
    for (const labels of [
      selector.matchLabels,
      one('Service')['spec'].selector,
      one('NetworkPolicy')['spec'].podSelector.matchLabels,
    ])
      expect(template.metadata.labels).toMatchObject(labels)
    expect(list['images'][0].name).toBe(template.spec.containers[0].image)
  })

  it('start the image with words and variables that the node understands', async () => {
    const { template, volumeClaimTemplates } = one('StatefulSet')['spec']
    const [container] = template.spec.containers
    expect(container.args).toEqual(commandOf(IMAGE, 'CMD'))
    const own = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    )
    expect(await judged({ ...environmentOf(IMAGE), ...own })).toEqual([0, ''])
    expect(container.ports[0].containerPort).toBe(Number(PORT))
    expect(container.volumeMounts).toEqual([
      { name: volumeClaimTemplates[0].metadata.name, mountPath: VOLUME },
    ])
    expect(saidBy(IMAGE, 'USER')).toEqual([
      `${template.spec.securityContext.runAsUser}:${template.spec.securityContext.runAsGroup}`,
    ])
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(stopSeconds)
  })

  it('ask for health at paths that answer, and leave room beside the heap', async () => {
    const [container] = one('StatefulSet')['spec'].template.spec.containers
    for (const probe of [container.livenessProbe, container.readinessProbe])
      expect((await fetch(`${node.url}${probe.httpGet.path}`)).status).toBe(200)
    const heap = Number(/--max-old-space-size=(\d+)/.exec(container.env[0].value)?.[1])
    expect(container.resources.limits.memory).toBe('1Gi')
    expect(heap).toBeLessThanOrEqual(1_024 * 0.75)
  })
})
