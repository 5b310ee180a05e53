/** The values that the labels of metrics take: closed lists, so that no caller can add a series. */
import { type ClientMessage, STATES } from '@rollcall/wire'
import type { CommandKind } from './commands.js'
import type { ProbeOutcome } from './ports.js'

/** All values of a type; one that is left out does not compile. */
function every<T extends string>(values: Readonly<Record<T, true>>): readonly T[] {
  return Object.keys(values) as T[]
}

type ListName =
  | 'statusClasses'
  | 'messages'
  | 'foreignProtocols'
  | 'commands'
  | 'registrations'
  | 'states'
  | 'transitions'
  | 'remembered'
  | 'accounts'
  | 'guards'
  | 'outcomes'
  | 'publications'
  | 'journalFaults'
  | 'engineOperations'
  | 'engineFailures'
  | 'engineWrites'
  | 'dnsAnswers'
  | 'collections'
  | 'quotas'
  | 'budgets'
  | 'countBudgets'
  | 'byteBudgets'

/** Budgets of things, each under the setting that bounds it. */
const COUNT_BUDGETS: readonly string[] = ['connectionsMax', 'instancesMax', 'waitersMax', 'watchesMax']

/** Budgets of bytes. */
const BYTE_BUDGETS: readonly string[] = [
  'declarationBytesMax',
  'receivedBytesMax',
  'recordBytesMax',
  'strayBytesMax',
  'tombstoneBytesMax',
  'unsentBytesMax',
  'watchBytesMax',
]

/** Each list under its name in the catalogue. */
export const LABEL_VALUES: Readonly<Record<ListName, readonly string[]>> = {
  statusClasses: ['1xx', '2xx', '3xx', '4xx', '5xx'],
  foreignProtocols: ['eureka'],
  messages: every<ClientMessage['type'] | 'unknown'>({
    hello: true,
    ping: true,
    register: true,
    heartbeat: true,
    deregister: true,
    watch: true,
    unwatch: true,
    resync: true,
    ack: true,
    hint: true,
    signs: true,
    settled: true,
    services: true,
    lookup: true,
    unknown: true,
  }),
  commands: every<CommandKind>({
    register: true,
    deregister: true,
    deregisterHost: true,
    override: true,
    clearOverrides: true,
    restore: true,
    freeze: true,
    unfreeze: true,
    declareService: true,
    declareNamespace: true,
    keepValue: true,
  }),
  /** What a registration can end with. */
  registrations: [
    'ok',
    'invalid_argument',
    'namespace_not_allowed',
    'service_not_declared',
    'group_not_declared',
    'service_not_allowed',
    'id_taken',
    'superseded',
    'deregistered',
    'limit_exceeded',
  ],
  states: STATES,
  transitions: [...STATES, 'hidden'],
  remembered: ['expired', 'deregistered', 'stray'],
  accounts: ['listed', 'expired', 'deregistered', 'stray'],
  guards: ['service', 'watcher'],
  outcomes: every<ProbeOutcome>({
    succeeded: true,
    refused: true,
    failed: true,
    skipped: true,
    unable: true,
  }),
  publications: ['delta', 'view'],
  journalFaults: ['call', 'slow', 'queue', 'files', 'lock'],
  engineOperations: ['join', 'load', 'scan', 'read', 'write', 'watch', 'renewal'],
  engineFailures: ['unavailable', 'compacted', 'epoch', 'incompatible', 'refused', 'full'],
  engineWrites: ['done', 'refused'],
  dnsAnswers: [
    'records',
    'nodata',
    'nxdomain',
    'refused',
    'servfail',
    'formerr',
    'notimp',
    'badvers',
    'limited',
    'silence',
  ],
  collections: ['major', 'minor', 'incremental', 'weakcb'],
  /** Names under which a limit refuses: the setting that bounds it, if one does. */
  quotas: [
    'connectionsMax',
    'declarationBytesMax',
    'eventLogFeedsMax',
    'eventStreamsMax',
    'eventWatchesMax',
    'freezesMax',
    'valuesMax',
    'valueBytesMax',
    'heap',
    'instancesMax',
    'listsMax',
    'namespacesMax',
    'pipelinedMax',
    'receivedBytesMax',
    'recordBytesMax',
    'servicesMax',
    'strayBytesMax',
    'tombstoneBytesMax',
    'unsentBytesMax',
    'waitersMax',
    'watchBytesMax',
    'watchesMax',
    'watchesPerSubscriberMax',
  ],
  budgets: [...COUNT_BUDGETS, ...BYTE_BUDGETS],
  countBudgets: COUNT_BUDGETS,
  byteBudgets: [...BYTE_BUDGETS, 'heap', 'receivedShort'],
}
