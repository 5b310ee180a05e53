/** Parameters of the native API, as the OpenAPI document shows them. The router hands them over as text. */
import { z } from 'zod'
import { EVENT_KINDS } from '../events.js'
import { DEFAULTS, LIMITS } from '../limits.js'
import { durabilityField, groupField, idField, nameField, namespaceField, signField } from './fields.js'

/** Sizes of a page of services. */
export const SERVICES_LIMIT: { readonly default: number; readonly max: number } = {
  default: 1_000,
  max: 10_000,
}

/** Sizes of a page of events. */
export const EVENTS_LIMIT: { readonly default: number; readonly max: number } = { default: 100, max: 1_000 }

/** One parameter of a route. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly description: string
  readonly required?: boolean
  /** The parameter may be given several times. */
  readonly repeated?: boolean
  readonly schema: z.ZodType
}

const text = z.string()

type ParameterKey =
  | 'service'
  | 'id'
  | 'namespaceInPath'
  | 'namespace'
  | 'namespaceFilter'
  | 'serviceFilter'
  | 'groupFilter'
  | 'idFilter'
  | 'kind'
  | 'afterEvent'
  | 'eventsLimit'
  | 'follow'
  | 'every'
  | 'seq'
  | 'ageMs'
  | 'serviceInQuery'
  | 'idInQuery'
  | 'group'
  | 'groupOfInstance'
  | 'state'
  | 'zone'
  | 'since'
  | 'wait'
  | 'ifNoneMatch'
  | 'prefix'
  | 'limit'
  | 'after'
  | 'durability'
  | 'watched'
  | 'lastEventId'

/** Every parameter by the name the route table uses. */
export const parameters: Readonly<Record<ParameterKey, Parameter>> = {
  service: {
    name: 'service',
    in: 'path',
    required: true,
    description: 'Name of the service.',
    schema: nameField,
  },
  id: { name: 'id', in: 'path', required: true, description: 'Id of the instance.', schema: idField },
  namespaceInPath: {
    name: 'namespace',
    in: 'path',
    required: true,
    description: 'The namespace.',
    schema: nameField,
  },
  namespace: { name: 'namespace', in: 'query', description: 'The namespace.', schema: namespaceField },
  namespaceFilter: { name: 'namespace', in: 'query', description: 'Only this namespace.', schema: nameField },
  serviceFilter: { name: 'service', in: 'query', description: 'Only this service.', schema: nameField },
  serviceInQuery: {
    name: 'service',
    in: 'query',
    required: true,
    description: 'Name of the service.',
    schema: nameField,
  },
  idInQuery: { name: 'id', in: 'query', required: true, description: 'Id of the instance.', schema: idField },
  every: {
    name: 'every',
    in: 'query',
    description:
      'How often the caller asks, such as `10s`: whoever waits for a drain waits that long for it. `0s`: only this once. Default 5 s.',
    schema: text.meta({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s)?$' }),
  },
  seq: {
    name: 'seq',
    in: 'query',
    description: '`seq` of an earlier answer: what happened later does not count.',
    schema: z.int().meta({ minimum: 0 }),
  },
  ageMs: {
    name: 'ageMs',
    in: 'query',
    description: 'How long ago the change was that the caller waits for. Default 0.',
    schema: z.int().meta({ minimum: 0 }),
  },
  groupFilter: { name: 'group', in: 'query', description: 'Only this group.', schema: nameField },
  idFilter: { name: 'id', in: 'query', description: 'Only this id.', schema: idField },
  kind: {
    name: 'kind',
    in: 'query',
    description: `Only these kinds, separated by commas: ${EVENT_KINDS.join(', ')}.`,
    schema: text,
  },
  afterEvent: {
    name: 'after',
    in: 'query',
    description: 'Only events after this number; one that is still to come stands for 0.',
    schema: z.int().meta({ minimum: 0 }),
  },
  eventsLimit: {
    name: 'limit',
    in: 'query',
    description: 'Most events of one answer.',
    schema: z.int().meta({ minimum: 1, maximum: EVENTS_LIMIT.max, default: EVENTS_LIMIT.default }),
  },
  follow: {
    name: 'follow',
    in: 'query',
    description:
      '`true`: go on with what happens, as server-sent events; so does `Accept: text/event-stream`.',
    schema: z.enum(['true', 'false']),
  },
  group: {
    name: 'group',
    in: 'query',
    description: 'Only this group; its list has a sign of its own.',
    schema: nameField,
  },
  groupOfInstance: { name: 'group', in: 'query', description: 'Group of the instance.', schema: groupField },
  state: {
    name: 'state',
    in: 'query',
    description: 'Only these states, separated by commas. Not with `since` or `wait`.',
    schema: text,
  },
  zone: {
    name: 'zone',
    in: 'query',
    description: 'Only this zone. Not with `since` or `wait`.',
    schema: nameField,
  },
  since: {
    name: 'since',
    in: 'query',
    description: 'Sign of the list the caller holds: the answer is the change since, or the list.',
    schema: signField,
  },
  wait: {
    name: 'wait',
    in: 'query',
    description: `Wait for a change: \`500ms\`, \`30s\` or a number of seconds, at most ${LIMITS.waitMsMax / 1000} s. Needs \`since\` or If-None-Match.`,
    schema: text.meta({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s)?$' }),
  },
  ifNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETag of the answer the caller holds.',
    schema: text,
  },
  prefix: { name: 'prefix', in: 'query', description: 'Only services whose name starts so.', schema: text },
  limit: {
    name: 'limit',
    in: 'query',
    description: 'Most entries of one page.',
    schema: z.int().meta({ minimum: 1, maximum: SERVICES_LIMIT.max, default: SERVICES_LIMIT.default }),
  },
  after: { name: 'after', in: 'query', description: '`next` of the page before.', schema: text },
  durability: {
    name: 'durability',
    in: 'query',
    description: 'Fail with `not_durable` where the write cannot be made this durable.',
    schema: durabilityField,
  },
  watched: {
    name: 'service',
    in: 'query',
    required: true,
    repeated: true,
    description: `A service, or \`NAME:GROUP\` for one group of it, in the namespace given (default \`${DEFAULTS.namespace}\`).`,
    schema: text,
  },
  lastEventId: {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'Id of the last event the caller applied, for the same list of services.',
    schema: text,
  },
}
