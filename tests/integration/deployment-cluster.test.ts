/** The files for three nodes, for Compose and Kubernetes: each node takes its settings, and all of them fit together. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { killCommands, startCommand } from '@rollcall/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { environmentOf, stageOf } from './support/dockerfile.js'

const IMAGE = environmentOf(stageOf(readFileSync('packaging/docker/Dockerfile', 'utf8'), 'node'))

afterAll(killCommands)

interface Settings {
  readonly nodeId: string
  readonly advertise: string
  readonly 'etcd.endpoints': readonly string[]
}

/** The settings of a node that is started from the image with these variables. */
async function settingsOf(env: Readonly<Record<string, string>>): Promise<Settings> {
  const command = startCommand(['config', 'show', '--json'], { env: { ...IMAGE, ...env } })
  const { code } = await command.exited
  expect([code, command.stderr()]).toEqual([0, ''])
  const { settings } = JSON.parse(command.stdout()) as {
    settings: readonly { key: string; value: unknown }[]
  }
  return Object.fromEntries(settings.map(({ key, value }) => [key, value])) as unknown as Settings
}

/** What members of etcd are told: `--name=value` flags. */
function flagsOf(args: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    args.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split(/=(.*)/s).slice(0, 2)),
  ) as Record<string, string>
}

/** Members agree on who they are, each listens where it says that it is reached, and none keeps its history for ever. */
function expectMembers(members: readonly Readonly<Record<string, string>>[]): void {
  expect(members).toHaveLength(3)
  const all = members.map((member) => `${member['name']}=${member['initial-advertise-peer-urls']}`).join()
  for (const member of members) {
    expect(member['initial-cluster']).toBe(all)
    for (const kind of ['client', 'peer']) {
      const advertised = member[`advertise-${kind}-urls`] ?? member[`initial-advertise-${kind}-urls`] ?? ''
      expect(new URL(advertised).port).toBe(new URL(member[`listen-${kind}-urls`] ?? '').port)
    }
    expect(member['auto-compaction-mode']).toBe('periodic')
  }
}

interface Service {
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
}

describe('compose.cluster.yaml', () => {
  const { services, volumes } = parse(readFileSync('packaging/docker/compose.cluster.yaml', 'utf8'), {
    merge: true,
  }) as {
    readonly services: Readonly<Record<string, Service>>
    readonly volumes: Readonly<Record<string, null>>
  }
  const named = (prefix: string): (readonly [string, Service])[] =>
    Object.entries(services).filter(([name]) => name.startsWith(prefix))

  it('has three members that form one etcd', () => {
    const members = named('etcd-')
    expectMembers(members.map(([, { command = [] }]) => flagsOf(command)))
    for (const [name, { command = [] }] of members) expect(flagsOf(command)['name']).toBe(name)
  })

  it('has three nodes that each takes its settings, under names of its own, and that know all members', async () => {
    const endpoints = named('etcd-').map(([, { command = [] }]) => flagsOf(command)['advertise-client-urls'])
    for (const [name, { environment = {} }] of named('node-')) {
      const settings = await settingsOf(environment)
      expect([settings.nodeId, settings.advertise]).toEqual([name, `${name}:7400`])
      expect(settings['etcd.endpoints']).toEqual(endpoints)
    }
    const registries = named('node-').map(([name]) => `http://${name}:7400`)
    expect(registries).toHaveLength(3)
    expect(services['orders']?.environment?.['ROLLCALL_REGISTRY']).toBe(registries.join())
  })

  it('keeps what each has on a volume of its own, and publishes nothing beyond this machine', () => {
    const kept = [...named('etcd-'), ...named('node-')].map(([name, { volumes: own = [] }]) => {
      expect(own.map((volume) => volume.split(':')[0])).toEqual([name])
      return name
    })
    expect(Object.keys(volumes)).toEqual(kept)
    for (const port of Object.values(services).flatMap(({ ports = [] }) => ports))
      expect(port).toMatch(/^127\.0\.0\.1:740[1-3]:7400$/)
  })
})

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  // oxlint-disable-next-line typescript/no-explicit-any -- the proof holds manifests against Kubernetes' own types
  readonly spec: any
}

interface Variable {
  readonly name: string
  readonly value?: string
}

describe('the manifests of three nodes for Kubernetes', () => {
  const folder = 'packaging/kubernetes-cluster'
  const manifestsOf = (name: string): Manifest[] =>
    parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => document.toJS() as Manifest)
  const list = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as {
    readonly namespace: string
    readonly resources: readonly string[]
    readonly patches: readonly { readonly path: string }[]
  }
  const manifests = list.resources.filter((name) => name.endsWith('.yaml')).flatMap(manifestsOf)
  const one = (kind: string, name: string): Manifest =>
    manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name) ??
    expect.fail(`${kind} ${name}`)
  const [patch] = list.patches.flatMap(({ path }) => manifestsOf(path))
  if (patch === undefined) throw new Error('no patch')
  const etcd = one('StatefulSet', 'etcd').spec

  /** The variables of a pod, those of others filled in, as Kubernetes does from top to bottom. */
  function variablesOf(variables: readonly Variable[], pod: string): Record<string, string> {
    const env: Record<string, string> = {}
    for (const { name, value = pod } of variables)
      env[name] = value.replaceAll(
        /\$\((\w+)\)/g,
        (_whole, other: string) => env[other] ?? expect.fail(other),
      )
    return env
  }

  it('have three members that form one etcd, found by the names of its service', () => {
    const [container] = etcd.template.spec.containers
    const members = [0, 1, 2].map((n) =>
      flagsOf(
        (container.args as string[]).map((arg) => arg.replaceAll('$(POD_NAME)', `${etcd.serviceName}-${n}`)),
      ),
    )
    expectMembers(members)
    expect(one('Service', etcd.serviceName).spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    })
    expect(members[0]?.['data-dir']).toMatch(new RegExp(`^${container.volumeMounts[0].mountPath}/`))
  })

  it('make three nodes of one, each of which takes its settings and is reached by its own name', async () => {
    const { spec } = patch
    expect([spec.replicas, etcd.replicas]).toEqual([3, 3])
    const base = parse(readFileSync('packaging/kubernetes/statefulset.yaml', 'utf8')) as Manifest
    expect([patch.kind, patch.metadata.name]).toEqual([base.kind, base.metadata.name])
    const [container] = spec.template.spec.containers
    expect(container.name).toBe(base.spec.template.spec.containers[0].name)
    for (const pod of ['rollcall-0', 'rollcall-2']) {
      const { POD_NAME: _own, ...env } = variablesOf(container.env as Variable[], pod)
      const settings = await settingsOf(env)
      expect(settings.nodeId).toBe(pod)
      expect(settings.advertise).toBe(`${pod}.${spec.serviceName}.${list.namespace}.svc:7400`)
      expect(settings['etcd.endpoints']).toEqual([0, 1, 2].map((n) => `http://etcd-${n}.etcd:2379`))
    }
    expect(one('Service', spec.serviceName).spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: base.spec.selector.matchLabels,
    })
  })

  it('let nodes reach each other and etcd, and no other pod reach etcd', () => {
    const nodes = { 'app.kubernetes.io/name': 'rollcall' }
    const { egress, ingress } = one('NetworkPolicy', 'rollcall-nodes').spec
    expect(ingress).toEqual([{ from: [{ podSelector: { matchLabels: nodes } }], ports: [{ port: 'http' }] }])
    expect(egress.map(({ ports }: { ports: { port: number }[] }) => ports[0]?.port)).toEqual([7_400, 2_379])
    const callers = one('NetworkPolicy', 'etcd').spec.ingress.map(
      ({ from }: { from: { podSelector: { matchLabels: object } }[] }) => from[0]?.podSelector.matchLabels,
    )
    expect(callers).toEqual([nodes, etcd.selector.matchLabels])
    for (const name of ['rollcall', 'etcd'])
      expect(one('PodDisruptionBudget', name).spec.maxUnavailable).toBe(1)
  })
})
