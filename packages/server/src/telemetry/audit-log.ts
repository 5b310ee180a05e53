/**
 * The audit: one line for each action of an operator, with who did it (`by`, as the caller says), from where, to what and why,
 * and what came of it. What providers do for themselves is told at debug.
 */
import type { Answers, Caller, Command, CommandKind, CommandOf, Logger, RefusalLog } from '@rollcall/core'
import { defined, type ErrorBody, isRegistryError, type ResolvedRef } from '@rollcall/wire'

/** Told of every command, after it was done or refused. */
export interface AuditLog {
  done<K extends CommandKind>(command: CommandOf<K>, answer: Answers[K], caller: Caller): void
  /** The command as a whole was refused, and nothing was done. */
  refused(command: Command, error: unknown, caller: Caller): void
}

type Fields = Readonly<Record<string, unknown>>

/** What a command came to. Without effect it is told at debug. */
interface Account {
  readonly message: string
  readonly fields: Fields
  readonly effect: boolean
}

type Accounts = {
  readonly [K in CommandKind]: (command: CommandOf<K>, answer: Answers[K]) => Account
}

/** Services of one action that are named. */
const SERVICES_MAX = 5

/** Codes of refused items that are told as refusals of the caller: once each for a command. */
const TOLD_CODES: ReadonlySet<string> = new Set([
  'limit_exceeded',
  'namespace_not_allowed',
  'service_not_allowed',
  'service_not_declared',
  'group_not_declared',
])

/** Creates the audit. */
export function createAuditLog(deps: {
  readonly logger: Logger
  readonly refusals: RefusalLog
  /** Whether lines at debug are written: what no line is made of costs nothing. */
  readonly verbose: boolean
}): AuditLog {
  const { logger, refusals, verbose } = deps
  return {
    done(command, answer, caller) {
      if (Array.isArray(answer)) noteRefused(refusals, answer, caller)
      if (!verbose && !isOperators(command as Command)) return
      const { message, fields, effect } = ACCOUNTS[command.kind](command as never, answer as never)
      const level = effect ? 'info' : 'debug'
      logger[level]({ action: command.kind, ...authorOf(command as Command, caller), ...fields }, message)
    },
    refused(command, error, caller) {
      // A fault of the node is told where it is answered.
      if (!isRegistryError(error)) return
      const { code, message } = error
      const level = isOperators(command) ? 'info' : 'debug'
      const fields = { action: command.kind, ...authorOf(command, caller), ...subjectOf(command) }
      logger[level]({ ...fields, code, reason: message }, 'command refused')
    },
  }
}

const ACCOUNTS: Accounts = {
  register: ({ items }, answer) => ({
    message: 'registered',
    fields: takenOf(items, answer),
    effect: false,
  }),
  deregister: (command, { removed }) => ({
    message: 'instances removed',
    fields: instancesOf(removed.length === 0 ? command.refs : removed, removed.length),
    effect: removed.length > 0 && isOperators(command),
  }),
  deregisterHost: ({ host, namespace, confirm }, { removed }) => ({
    message: 'instances removed by host',
    fields: { host, namespace, ...(confirm ? { confirm } : {}), ...instancesOf(removed) },
    effect: removed.length > 0,
  }),
  override: ({ refs, drain, disable, weight, durationMs }, answer) => ({
    message: 'override set',
    fields: { ...defined({ drain, disable, weight, durationMs }), ...takenOf(refs, answer) },
    effect: answer.some(({ ok }) => ok),
  }),
  clearOverrides: ({ refs }, answer) => ({
    message: 'override taken back',
    fields: takenOf(refs, answer),
    effect: answer.some(({ ok }) => ok),
  }),
  restore: ({ namespace, service, group, dryRun = false }, { results }) => ({
    message: 'instances restored',
    fields: {
      ...defined({ namespace, service, group }),
      instances: results.filter(({ ok }) => ok).length,
      ...refusedOf(results),
      ...(dryRun ? { dryRun } : {}),
    },
    effect: !dryRun && results.some(({ ok }) => ok),
  }),
  freeze: ({ namespace }, { existed }) => ({
    message: 'frozen',
    fields: { namespace, ...(existed ? { existed } : {}) },
    effect: true,
  }),
  unfreeze: ({ namespace }, { existed }) => ({
    message: 'freeze taken back',
    fields: { namespace },
    effect: existed,
  }),
  declareService: ({ namespace, service, settings }, { existed }) => ({
    message: settings === null ? 'declaration of a service taken back' : 'service declared',
    fields: { namespace, service, ...settingsOf(settings), ...(existed ? { existed } : {}) },
    effect: settings !== null || existed,
  }),
  declareNamespace: ({ namespace, settings }, { existed }) => ({
    message: settings === null ? 'declaration of a namespace taken back' : 'namespace declared',
    fields: { namespace, ...settingsOf(settings), ...(existed ? { existed } : {}) },
    effect: settings !== null || existed,
  }),
  keepValue: ({ namespace, protocol, key, document }, { kept }) => ({
    message: document === null ? 'value taken back' : 'value kept',
    fields: { namespace, protocol, key },
    effect: kept,
  }),
}

/** Unsigned, instances are taken out by their provider. */
function isOperators(command: Command): boolean {
  if (command.kind === 'register') return false
  return command.kind !== 'deregister' || command.by !== undefined || command.why !== undefined
}

function authorOf(command: Command, { peer }: Caller): Fields {
  const { by, why } = 'items' in command || 'settings' in command || 'key' in command ? {} : command
  return defined({ by, peer, why })
}

/** What a command that came to nothing was about. */
function subjectOf(command: Command): Fields {
  if ('items' in command) return instancesOf(command.items)
  if ('host' in command) return { host: command.host, namespace: command.namespace }
  if ('refs' in command) return instancesOf(command.refs)
  const { namespace } = command
  return 'service' in command ? { namespace, service: command.service } : { namespace }
}

/** One instance by its name; several by number and services. */
function instancesOf(
  refs: readonly Pick<ResolvedRef, 'namespace' | 'service' | 'group' | 'id'>[],
  taken: number = refs.length,
): Fields {
  const [first] = refs
  if (first === undefined) return { instances: taken }
  if (refs.length === 1) {
    const { namespace, service, group, id } = first
    return { instances: taken, namespace, service, group, id }
  }
  const services = new Set<string>()
  for (const { namespace, service } of refs) {
    services.add(`${namespace}/${service}`)
    if (services.size > SERVICES_MAX) break
  }
  const named = [...services].slice(0, SERVICES_MAX)
  return { instances: taken, services: named, ...(services.size > SERVICES_MAX ? { more: true } : {}) }
}

function takenOf(refs: Parameters<typeof instancesOf>[0], answer: Outcomes): Fields {
  const taken = answer.filter(({ ok }) => ok).length
  return { ...instancesOf(refs, taken), ...refusedOf(answer) }
}

type Outcomes = readonly ({ readonly ok: true } | { readonly ok: false; readonly error: ErrorBody })[]

function refusedOf(outcomes: Outcomes): Fields {
  let refused = 0
  for (const { ok } of outcomes) if (!ok) refused++
  return refused === 0 ? {} : { refused }
}

function noteRefused(refusals: RefusalLog, outcomes: Outcomes, { peer }: Caller): void {
  let told: Set<string> | undefined
  for (const outcome of outcomes) {
    if (outcome.ok || !TOLD_CODES.has(outcome.error.code) || told?.has(outcome.error.code) === true) continue
    told = (told ?? new Set()).add(outcome.error.code)
    refusals.note(outcome.error, peer)
  }
}

/** What is declared, without its lists: they may be long. */
function settingsOf(settings: object | null): Fields {
  if (settings === null) return {}
  const { allow, groups, breaker, removalMs } = settings as {
    readonly allow?: readonly string[]
    readonly groups?: readonly string[]
    readonly breaker?: object
    readonly removalMs?: number
  }
  return defined({ allow: allow?.length, groups: groups?.length, breaker, removalMs })
}
