/** The status of a node as lines for people, each with what calls for attention. Pure. */
import { type JoinedStatus, type NodeStatus, STATES } from '@rollcall/wire'
import { ageText, lagText } from './instance-columns.js'
import type { Column, Style } from './table.js'

/** One line: its name, what it says, and its colour where it calls for attention. */
export interface StatusRow {
  readonly what: string
  readonly text: string
  readonly style?: Style
}

/** How the lines are shown. */
export const STATUS_COLUMNS: readonly Column<StatusRow>[] = [
  { title: 'WHAT', text: ({ what }) => what, style: () => 'dim' },
  { title: 'VALUE', whole: true, text: ({ text }) => text, style: ({ style }) => style },
]

/** From this share on a budget is near its bound. */
const NEAR = 0.75

/** All lines, in order: the node, what it serves, what holds back, what it stands on. */
export function statusRows(status: NodeStatus): readonly StatusRow[] {
  return [...nodeRows(status), ...servedRows(status), ...heldRows(status), ...foundationRows(status)]
}

function nodeRows({
  readiness,
  version,
  node,
  cluster,
  joined,
  address,
  startedAt,
  uptimeMs,
}: NodeStatus): StatusRow[] {
  return [
    readiness.ready
      ? { what: 'ready', text: 'yes', style: 'green' }
      : { what: 'ready', text: `no: ${readiness.reason ?? 'for an unknown reason'}`, style: 'red' },
    { what: 'version', text: version },
    { what: 'node', text: node },
    { what: 'cluster', text: cluster },
    ...(joined === undefined ? [] : [joinedRow(joined)]),
    { what: 'address', text: address },
    { what: 'up', text: `${ageText(uptimeMs)}, since ${startedAt}` },
  ]
}

function joinedRow({ nodes, engine, island, unpublished, lagMs }: JoinedStatus): StatusRow {
  const waiting =
    unpublished === 0
      ? []
      : [
          `${of(unpublished, 'change')} ${unpublished === 1 ? 'is' : 'are'} not in the engine yet, the oldest for ${lagText(lagMs)}`,
        ]
  if (island)
    return {
      what: 'joined',
      text: [
        'ISLAND: the engine is lost, and what is accepted here reaches linked nodes only',
        ...waiting,
      ].join('; '),
      style: 'red',
    }
  return {
    what: 'joined',
    text: [of(nodes, 'node'), `engine ${engine}`, ...waiting].join(', '),
    ...(engine === 'lost' ? { style: 'yellow' } : {}),
  }
}

function servedRows({ registry, clients }: NodeStatus): StatusRow[] {
  const { namespaces, services, instances, stale } = registry
  const total = STATES.reduce((sum, state) => sum + instances[state], 0)
  const states = STATES.filter((state) => instances[state] > 0).map(
    (state) => `${many(instances[state])} ${state}`,
  )
  const { sessions, eventStreams, longPolls, watches } = clients
  return [
    { what: 'lists', text: `${of(services, 'service')} in ${of(namespaces, 'namespace')}` },
    ...(stale
      ? [{ what: '', text: 'may lack what lives: not all have been heard yet', style: 'yellow' } as const]
      : []),
    { what: 'instances', text: [many(total), states.join(', ')].filter((part) => part !== '').join(': ') },
    {
      what: 'clients',
      text: [
        of(sessions, 'session'),
        of(eventStreams, 'event stream'),
        of(longPolls, 'long poll'),
        `${many(watches)} ${watches === 1 ? 'watch' : 'watches'}`,
      ].join(', '),
    },
  ]
}

function heldRows({ guards, freezes, overrides }: NodeStatus): StatusRow[] {
  const { services, kept, zones } = guards
  const tripped = [
    ...(services === 0
      ? []
      : [`${of(services, 'service')} ${services === 1 ? 'keeps' : 'keep'} ${of(kept, 'silent instance')}`]),
    ...(zones === 0 ? [] : [`the node doubts its ears in ${of(zones, 'zone')}`]),
  ]
  const wishes = (['drain', 'disable', 'weight'] as const)
    .filter((wish) => overrides[wish] > 0)
    .map((wish) => `${many(overrides[wish])} ${wish}`)
  const more = freezes.total - freezes.oldest.length
  return [
    attention('guards', tripped.join('; '), 'none tripped'),
    ...(freezes.total === 0 ? [{ what: 'frozen', text: 'nothing' }] : []),
    ...freezes.oldest.map(({ namespace, ageMs, by, why }, at) => ({
      what: at === 0 ? 'frozen' : '',
      text: [
        namespace === '*' ? 'all namespaces' : namespace,
        `for ${ageText(ageMs)}`,
        ...(by === undefined ? [] : [`by ${by}`]),
        ...(why === undefined ? [] : [`(${why})`]),
      ].join(' '),
      style: 'yellow' as const,
    })),
    ...(more > 0 ? [{ what: '', text: `… and ${many(more)} more`, style: 'yellow' as const }] : []),
    attention(
      'overrides',
      overrides.total === 0 ? '' : `${many(overrides.total)}: ${wishes.join(', ')}`,
      'none',
    ),
  ]
}

function foundationRows({ journal, memory }: NodeStatus): StatusRow[] {
  const { failing, fault, error, bytes, queuedEntries = 0, lastCommitMs } = journal
  const { residentBytes, heapBytes, heapBytesMax, budgets } = memory
  const parts = [
    ...(bytes === undefined ? [] : [sizeText(bytes)]),
    ...(queuedEntries === 0 ? [] : [`${many(queuedEntries)} entries wait`]),
    ...(lastCommitMs === undefined ? [] : [`last commit ${ageText(lastCommitMs)} ago`]),
  ]
  const kept =
    journal.durability === 'memory' ? 'none: nothing is kept on disk' : ['on disk', ...parts].join(', ')
  const broken = `FAILING (${[fault, error].filter((each) => each !== undefined).join(': ')}): writes are kept in memory only`
  const [fullest] = budgets.toSorted((a, b) => b.used / b.max - a.used / a.max)
  const heap = heapBytes / heapBytesMax
  return [
    failing
      ? { what: 'journal', text: [broken, ...parts].join(', '), style: 'red' }
      : { what: 'journal', text: kept },
    {
      what: 'memory',
      text: `heap ${sizeText(heapBytes)} of ${sizeText(heapBytesMax)} (${percent(heap)}), process ${sizeText(residentBytes)}`,
      ...(heap >= NEAR ? { style: 'yellow' as const } : {}),
    },
    ...(fullest === undefined
      ? []
      : [
          {
            what: 'fullest',
            text: `${fullest.quota} (${percent(fullest.used / fullest.max)})`,
            ...(fullest.used >= fullest.max * NEAR ? { style: 'yellow' as const } : {}),
          },
        ]),
  ]
}

function attention(what: string, text: string, none: string): StatusRow {
  return text === '' ? { what, text: none } : { what, text, style: 'yellow' }
}

function many(count: number): string {
  return count.toLocaleString('en-US')
}

function of(count: number, noun: string): string {
  return `${many(count)} ${noun}${count === 1 ? '' : 's'}`
}

function percent(share: number): string {
  return `${Math.floor(100 * (Number.isFinite(share) ? share : 0))} %`
}

/** A size in its largest fitting unit, to three digits: `18.4 MiB`. */
function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let at = 0
  let size = bytes
  while (size >= 1_000 && at < units.length - 1) {
    size /= 1_024
    at++
  }
  return `${at === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1)} ${units[at]}`
}
