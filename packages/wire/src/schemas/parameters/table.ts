/** Every parameter of the native API, by the name that the route table uses. */
import { EVENT_KINDS, type EventKind } from '../../events.js'
import { DEFAULTS } from '../../limits.js'
import { DURABILITIES, STATES, type Durability, type State } from '../../types.js'
import type { Moment } from '../../units.js'
import {
  inPath,
  inQuery,
  needed,
  neededOften,
  type HeaderParameter,
  type Needed,
  type Optional,
} from './parameter.js'
import {
  choice,
  choices,
  flag,
  id,
  moment,
  name,
  nameOrAll,
  serviceAndGroup,
  sign,
  span,
  whole,
  words,
} from './text.js'

/** Sizes of a page of services. */
export const SERVICES_LIMIT: { readonly default: number; readonly max: number } = {
  default: 1_000,
  max: 10_000,
}

/** Sizes of a page of events. */
export const EVENTS_LIMIT: { readonly default: number; readonly max: number } = { default: 100, max: 1_000 }

/** Longest announcement of the next poll: a drain waits no longer for any poller. */
const EVERY_MS_MAX = 600_000

const byDefault = (value: string): { readonly default: string } => ({ default: value })
const ofBody = 'Namespace of a body that names none; a body that names another is refused.'

/** Names of parts of paths. */
export const service: Needed<string> = inPath('service', name(), 'Name of the service.')
export const instanceId: Needed<string> = inPath('id', id, 'Id of the instance.')
export const namespaceInPath: Needed<string> = inPath('namespace', name(), 'The namespace.')

/** Which namespace, service, group or instance a read is about. */
export const namespace: Optional<string> = inQuery(
  'namespace',
  name(byDefault(DEFAULTS.namespace)),
  'The namespace.',
)
export const group: Optional<string> = inQuery(
  'group',
  name(),
  'Only this group; its list has a sign of its own.',
)
export const groupOfInstance: Optional<string> = inQuery(
  'group',
  name(byDefault(DEFAULTS.group)),
  'Group of the instance.',
)
export const serviceInQuery: Needed<string> = needed('service', name(), 'Name of the service.')
export const idInQuery: Needed<string> = needed('id', id, 'Id of the instance.')
export const watched: Needed<readonly { readonly service: string; readonly group?: string }[]> = neededOften(
  'service',
  serviceAndGroup,
  `A service, or \`NAME:GROUP\` for one group of it, in the namespace given (default \`${DEFAULTS.namespace}\`).`,
)

/** Which entries a list has. */
export const namespaceFilter: Optional<string> = inQuery('namespace', name(), 'Only this namespace.')
export const serviceFilter: Optional<string> = inQuery('service', name(), 'Only this service.')
export const groupFilter: Optional<string> = inQuery('group', name(), 'Only this group.')
export const idFilter: Optional<string> = inQuery('id', id, 'Only this id.')
export const prefix: Optional<string> = inQuery('prefix', words, 'Only services whose name starts so.')
export const kind: Optional<readonly EventKind[]> = inQuery(
  'kind',
  choices(EVENT_KINDS),
  'Only these kinds, separated by commas.',
)
export const state: Optional<readonly State[]> = inQuery(
  'state',
  choices(STATES),
  'Only these states, separated by commas. Not with `since` or `wait`.',
)
export const zone: Optional<string> = inQuery('zone', name(), 'Only this zone. Not with `since` or `wait`.')
export const limit: Optional<number> = inQuery(
  'limit',
  whole({ minimum: 1, maximum: SERVICES_LIMIT.max, default: SERVICES_LIMIT.default }),
  'Most entries of one page, which also ends at about 4 MiB.',
)
export const after: Optional<string> = inQuery('after', words, '`next` of the page before.')
export const afterNamespace: Optional<string> = inQuery('after', name(), '`next` of the page before.')
export const eventsLimit: Optional<number> = inQuery(
  'limit',
  whole({ minimum: 1, maximum: EVENTS_LIMIT.max, default: EVENTS_LIMIT.default }),
  'Most events of one answer.',
)
export const afterEvent: Optional<number> = inQuery(
  'after',
  whole({}),
  'Only events after this number; one that is still to come stands for 0.',
)

/** What a caller holds already, and how long it waits for more. */
export const since: Optional<string> = inQuery(
  'since',
  sign,
  'Sign of the list the caller holds: the answer is the change since, or the list.',
)
export const wait: Optional<number> = inQuery(
  'wait',
  span(({ waitMsMax }) => waitMsMax),
  'Wait for a change: `500ms`, `30s` or a number of seconds. Needs `since` or If-None-Match.',
)
export const every: Optional<number> = inQuery(
  'every',
  span(() => EVERY_MS_MAX),
  'How often the caller asks, such as `10s`: a drain waits until it has asked again. `0s`: only this once. Default 5 s.',
)
export const sinceWhen: Optional<Moment> = inQuery(
  'since',
  moment,
  'Only what happened since: so long ago by the clock of the node, such as `10m`, or a date of ISO 8601 (without a zone UTC).',
)
export const untilWhen: Optional<Moment> = inQuery(
  'until',
  moment,
  'Only what happened until then, as `since`.',
)
export const follow: Optional<boolean> = inQuery(
  'follow',
  flag,
  '`true`: go on with what happens, as server-sent events; so does `Accept: text/event-stream`.',
)
export const nodes: Optional<'all'> = inQuery(
  'nodes',
  choice(['all'] as const),
  '`all`: the newest of all nodes of the cluster together, for one service, in order of their clocks. Not with `after` or `follow`.',
)
export const seq: Optional<number> = inQuery(
  'seq',
  whole({}),
  '`seq` of an earlier answer: what happened later does not count.',
)
export const ageMs: Optional<number> = inQuery(
  'ageMs',
  whole({}),
  'How long ago the change was that the caller waits for. Default 0.',
)
export const ifNoneMatch: HeaderParameter = {
  name: 'If-None-Match',
  description: 'ETag of the answer the caller holds.',
}
export const lastEventId: HeaderParameter = {
  name: 'Last-Event-ID',
  description: 'Id of the last event the caller applied, for the same list of services.',
}

/** What writes are told beside their body. */
export const durability: Optional<Durability> = inQuery(
  'durability',
  choice(DURABILITIES),
  'Fail with `not_durable` where the write cannot be made this durable.',
)
export const namespaceOfBody: Optional<string> = inQuery(
  'namespace',
  name(byDefault(DEFAULTS.namespace)),
  ofBody,
)
export const namespaceOfBodyOrAll: Optional<string> = inQuery(
  'namespace',
  nameOrAll(byDefault(DEFAULTS.namespace)),
  `${ofBody} \`*\` as there.`,
)
