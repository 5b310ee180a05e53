/** Stories of several nodes and of the engine that joins them. */
import type { Fault } from './faults/fault.js'
import { operatorsOf } from './operators.js'
import type { ProgramPlan } from './scenario.js'
import { type Story, type StoryScene, STORIES } from './stories.js'
import type { Chance } from './world/random.js'
import { nodeHost } from './world/node-side.js'

/** Nodes of a cluster that has several. */
export const NODES = 3

const nodes = Array.from({ length: NODES }, (_, node) => node)

function hosts({ programs }: StoryScene): string[] {
  return [...new Set(programs.map(({ host }) => host))]
}

/** What stories of programs do while something is wrong. */
function meanwhile(scene: StoryScene, from: number): Fault[] {
  const { chance } = scene
  return Array.from({ length: chance.whole(0, 2) }, () => chance.pick(STORIES)).flatMap((story) =>
    story({ ...scene, from: from + chance.between(0, 5_000) }).filter(({ kind }) => PROGRAMS.has(kind)),
  )
}

const PROGRAMS: ReadonlySet<Fault['kind']> = new Set([
  'kill',
  'leave',
  'hang',
  'power',
  'deregister',
  'evict',
  'update',
  'reset',
] as const)

const engineLost: Story = (scene) => {
  const { chance, from } = scene
  const node = chance.pick(nodes)
  return [
    { at: from, kind: 'engineCut', node, ms: chance.between(1_000, 60_000) },
    ...meanwhile(scene, from + 1_000),
  ]
}

const engineAway: Story = (scene) => {
  const { chance, from } = scene
  return [
    { at: from, kind: 'engineDown', ms: chance.pick([2_000, 15_000, 50_000, 120_000]) },
    ...meanwhile(scene, from + 1_000),
    ...(chance.happens(0.4)
      ? [
          {
            at: from + chance.between(500, 20_000),
            kind: 'crash',
            node: chance.pick(nodes),
            downMs: 1_000,
          } as const,
        ]
      : []),
  ]
}

const engineSlow: Story = (scene) => {
  const { chance, from } = scene
  const ms = chance.between(5_000, 40_000)
  return [
    {
      at: from,
      kind: 'engineSlow',
      node: chance.pick(nodes),
      byMs: chance.between(50, 1_400),
      ms,
      all: chance.happens(0.6),
    },
    ...meanwhile(scene, from),
  ]
}

const engineMute: Story = (scene) => {
  const { chance, from } = scene
  return [
    { at: from, kind: 'engineMute', node: chance.pick(nodes), ms: chance.between(1_000, 30_000) },
    ...meanwhile(scene, from),
  ]
}

/** What it holds is lost, or goes back. */
const engineReplaced: Story = (scene) => {
  const { chance, from } = scene
  const at = from + chance.between(2_000, 15_000)
  const cut = chance.happens(0.4)
  return [
    { at: from, kind: 'engineBackup' },
    ...(cut ? [{ at: at - 500, kind: 'engineCut', node: chance.pick(nodes), ms: 5_000 } as const] : []),
    ...meanwhile(scene, from),
    chance.happens(0.5) ? { at, kind: 'engineWipe' } : { at, kind: 'engineRestore' },
  ]
}

/** It forgets its history while a node is not there to hear it. */
const engineCompacted: Story = (scene) => {
  const { chance, from } = scene
  const ms = chance.between(2_000, 20_000)
  return [
    { at: from, kind: 'engineCut', node: chance.pick(nodes), ms },
    ...meanwhile(scene, from + 500),
    { at: from + ms * 0.9, kind: 'engineCompact' },
  ]
}

const engineFull: Story = (scene) => {
  const { chance, from } = scene
  return [{ at: from, kind: 'engineFull', ms: chance.between(2_000, 40_000) }, ...meanwhile(scene, from)]
}

const engineResets: Story = ({ chance, from }) =>
  Array.from({ length: chance.whole(1, 5) }, () => ({
    at: from + chance.between(0, 15_000),
    kind: 'engineReset' as const,
    node: chance.pick(nodes),
  }))

const nodesApart: Story = (scene) => {
  const { chance, from } = scene
  const [node, other] = chance.some(nodes, 2) as [number, number]
  return [
    {
      at: from,
      kind: 'peerCut',
      node,
      other,
      oneWay: chance.happens(0.4),
      ms: chance.between(1_000, 40_000),
    },
    ...meanwhile(scene, from),
  ]
}

/** A rack is cut off, with a node in it and some of the hosts. */
const rack: Story = (scene) => {
  const { chance, from } = scene
  const node = chance.pick(nodes)
  const inside = chance.some(hosts(scene), chance.pick([0, 1, 2, 4]))
  const island = { at: from, kind: 'rack', node, hosts: inside, ms: chance.between(2_000, 60_000) } as const
  return [island, ...meanwhile(scene, from + 1_000)]
}

/** Each node is alone with a part of the hosts. */
const islands: Story = (scene) => {
  const { chance, from } = scene
  const ms = chance.between(8_000, 40_000)
  const all = hosts(scene)
  return [
    ...nodes.map((node) => ({
      at: from,
      kind: 'rack' as const,
      node,
      hosts: all.filter((_, index) => index % NODES === node),
      ms: ms + node,
    })),
    ...meanwhile(scene, from + 1_000),
  ]
}

const rollingNodes: Story = ({ chance, from }) => {
  const gapMs = chance.between(1_000, 20_000)
  const kind = chance.pick(['stop', 'stop', 'crash'] as const)
  return nodes.map((node) => ({ at: from + node * gapMs, kind, node, downMs: chance.between(50, 8_000) }))
}

const nodeLost: Story = (scene) => {
  const { chance, from } = scene
  const node = chance.pick(nodes)
  const downMs = chance.between(500, 60_000)
  return [
    chance.happens(0.5)
      ? { at: from, kind: 'crash', node, downMs }
      : { at: from, kind: 'replace', node, downMs },
    ...meanwhile(scene, from + 500),
  ]
}

/** The machine of a node, with what else runs there. */
const machineLost: Story = ({ chance, from }) => [
  {
    at: from,
    kind: 'power',
    host: nodeHost(0, chance.pick(nodes)),
    ms: chance.between(1_000, 50_000),
  },
]

/** A node and the engine. */
const nodeAndEngine: Story = (scene) => {
  const { chance, from } = scene
  return [
    { at: from, kind: 'crash', node: chance.pick(nodes), downMs: chance.between(500, 40_000) },
    { at: from + chance.between(-500, 500), kind: 'engineDown', ms: chance.between(1_000, 20_000) },
    ...meanwhile(scene, from),
  ]
}

/** Clients do not reach one of the nodes. */
const shunned: Story = (scene) => {
  const { chance, from } = scene
  const to = nodeHost(0, chance.pick(nodes))
  const ms = chance.between(2_000, 40_000)
  return chance.some(hosts(scene), 3).map((host) => ({ at: from, kind: 'cut' as const, from: host, to, ms }))
}

const nodeClocks: Story = ({ chance, from }) =>
  nodes.map((node) => ({
    at: from,
    kind: 'clock' as const,
    target: 'registry',
    node,
    byMs: chance.pick([-24, -1, 0, 1, 24]) * 3_600_000,
  }))

const CLUSTER_STORIES: readonly Story[] = [
  engineLost,
  engineLost,
  engineAway,
  engineSlow,
  engineMute,
  engineReplaced,
  engineReplaced,
  engineCompacted,
  engineFull,
  engineResets,
  nodesApart,
  nodesApart,
  rack,
  rack,
  islands,
  rollingNodes,
  nodeLost,
  nodeLost,
  machineLost,
  nodeAndEngine,
  shunned,
  nodeClocks,
]

/** What a single registry goes through, one node goes through. */
const NODE_KINDS: ReadonlySet<Fault['kind']> = new Set([
  'stall',
  'crash',
  'stop',
  'disk',
  'clock',
  'firewall',
] as const)

/** Faults of a cluster: its own stories, and those of a single node, each at one of the nodes. */
export function clusterFaults(scene: StoryScene, count: number): Fault[] {
  const { chance } = scene
  const faults: Fault[] = []
  for (let index = 0; index < count; index++) {
    const own = chance.fork(`cluster story ${index}`)
    const from = own.between(scene.from, scene.to - 5_000)
    const given = { ...scene, chance: own, from }
    faults.push(
      ...(own.happens(0.6) ? own.pick(CLUSTER_STORIES)(given) : atNode(own, own.pick(STORIES)(given))),
    )
  }
  if (chance.fork('operators').happens(0.25)) {
    const own = chance.fork('operating')
    faults.push(
      ...operatorsOf({ ...scene, chance: own }).map((fault) => ({ ...fault, node: own.pick(nodes) })),
    )
  }
  return faults
}

/** A story of a single node at one of several; orders of operators at any. */
function atNode(chance: Chance, faults: readonly Fault[]): Fault[] {
  const node = chance.pick(nodes)
  const host = nodeHost(0, node)
  const moved = (name: string): string => (name === nodeHost(0, 0) ? host : name)
  return faults.map((fault) => {
    if (fault.kind === 'cut') return { ...fault, from: moved(fault.from), to: moved(fault.to) }
    if (fault.kind === 'deregister' || fault.kind === 'evict') return { ...fault, node: chance.pick(nodes) }
    return NODE_KINDS.has(fault.kind) ? { ...fault, node } : fault
  })
}

/** Some providers run on the machines of nodes. */
export function besideNodes(chance: Chance, plans: readonly ProgramPlan[]): ProgramPlan[] {
  return plans.map((plan) => {
    const own = chance.fork(plan.name)
    const moves = plan.endpoints.length > 0 && own.happens(0.15)
    return moves ? { ...plan, host: nodeHost(0, own.pick(nodes)) } : plan
  })
}
