/** A cluster as tables for people: its nodes, and below them the engine, with what calls for attention in words. Pure. */
import type { ClusterNode, ClusterNodeState, ClusterResponse } from '@rollcall/wire'
import { lagText } from './instance-columns.js'
import type { StatusRow } from './status-rows.js'
import type { Column, Style } from './table.js'

const NODE_STYLES: Readonly<Record<ClusterNodeState, Style>> = {
  ready: 'green',
  island: 'yellow',
  stopping: 'cyan',
  gone: 'red',
}

/** What a state that calls for attention means, as the rest of a sentence. */
const MEANINGS: Readonly<Record<Exclude<ClusterNodeState, 'ready'>, string>> = {
  island:
    'lost the engine: it serves and accepts everything, tells only linked nodes, and removes nothing for silence',
  stopping: 'is stopping: clients move to the others',
  gone: 'is gone: the others judge its instances',
}

/** Ids are shown on demand where every node has a name, versions where all have the same. */
export function nodeColumns(nodes: readonly ClusterNode[]): readonly Column<ClusterNode>[] {
  const named = nodes.every(({ name }) => name !== undefined)
  const alike = new Set(nodes.map(({ version }) => version)).size < 2
  return [
    { title: 'NAME', key: true, text: ({ name }) => name ?? '' },
    { title: 'NODE', key: true, ...(named ? { wide: true } : {}), text: ({ node }) => node },
    { title: 'ADDRESS', key: true, text: ({ address }) => address },
    { title: 'STATE', text: ({ state }) => state, style: ({ state }) => NODE_STYLES[state] },
    { title: 'VERSION', ...(alike ? { wide: true } : {}), text: ({ version }) => version },
    figure('JUDGES', ({ judges }) => judges),
    figure('SESSIONS', ({ sessions }) => sessions),
    {
      ...figure('UNPUBLISHED', ({ unpublished }) => unpublished),
      style: ({ unpublished }) => (unpublished === 0 ? undefined : 'yellow'),
    },
    {
      ...figure('LAG', ({ lagMs }) => lagMs),
      text: ({ unpublished, lagMs }) => (unpublished === 0 ? '-' : lagText(lagMs)),
    },
  ]
}

function figure(title: string, of: (node: ClusterNode) => number): Column<ClusterNode> {
  return { title, align: 'right', text: (node) => String(of(node)), value: of }
}

/** What is said below the nodes. */
export function clusterRows({ cluster, nodes, engine, divergence }: ClusterResponse): readonly StatusRow[] {
  const there = nodes.filter(({ state }) => state !== 'gone').length
  const rows: StatusRow[] = [
    { what: 'cluster', text: `${cluster}, ${there} ${there === 1 ? 'node' : 'nodes'}` },
    ...nodes.flatMap(({ name, node, state }) =>
      state === 'ready'
        ? []
        : [{ what: '', text: `${name ?? node} ${MEANINGS[state]}`, style: NODE_STYLES[state] }],
    ),
  ]
  if (engine.kind === 'none')
    return [...rows, { what: 'engine', text: 'none: the node is a registry by itself' }]
  const product = [engine.kind, engine.version].filter((part) => part !== undefined).join(' ')
  const lost = engine.state === 'lost'
  return [
    ...rows,
    {
      what: 'engine',
      text: `${product}, ${lost ? 'LOST: the node that answers is an island' : 'connected'}`,
      ...(lost ? { style: 'red' } : {}),
    },
    ...engine.endpoints.map((text) => ({ what: '', text })),
    ...(engine.alarms ?? []).map((alarm) => ({
      what: 'alarm',
      text: `${alarm}${alarm === 'NOSPACE' ? ': etcd is full and takes no writes until an operator makes room' : ''}`,
      style: 'red' as const,
    })),
    divergence === 0
      ? { what: 'divergence', text: 'none' }
      : {
          what: 'divergence',
          text: `${divergence.toLocaleString('en-US')} ${divergence === 1 ? 'key' : 'keys'} differed from the engine when last compared, and were repaired`,
          style: 'yellow',
        },
  ]
}
