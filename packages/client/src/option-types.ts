/** Types of what programs pass to the SDK: JavaScript has no compiler to check them, and a mistake shall be told where it is made. */
import { LIMITS } from '@rollcall/wire'
import { invalid } from './machine/errors.js'
import type { ConnectOptions, RegisterOptions, RegistrationPatch } from './api.js'

/** What a value is, in words of a person. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 100))}`
  if (typeof value === 'number' || typeof value === 'boolean') return `${typeof value} ${value}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function wrong(field: string, expected: string, value: unknown): never {
  throw invalid(`${field} must be ${expected}; it is ${kindOf(value)}`, field)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkText(value: unknown, field: string): void {
  if (value !== undefined && typeof value !== 'string') wrong(field, 'a text', value)
}

const LOGGER = ['error', 'warn', 'info', 'debug'] as const

/** Throws `invalid_argument` for an option of `connect` that is of another type than it has to be. */
export function checkConnectTypes(options: ConnectOptions): void {
  const { snapshotDir, logger, signal, observer, zone, clusters, address } = options
  checkText(zone, 'zone')
  if (snapshotDir !== undefined && snapshotDir !== false && typeof snapshotDir !== 'string')
    wrong('snapshotDir', 'the name of a directory, or false', snapshotDir)
  if (logger !== undefined && logger !== false) {
    const missing = isObject(logger) ? LOGGER.filter((level) => typeof logger[level] !== 'function') : LOGGER
    if (missing.length > 0)
      throw invalid(`logger must have functions ${LOGGER.join(', ')}, or be false; ${missing.join(', ')} is not there`, 'logger') // prettier-ignore
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    wrong('signal', 'an AbortSignal', signal)
  if (observer !== undefined && !isObject(observer)) wrong('observer', 'an object', observer)
  if (clusters !== undefined && !isObject(clusters))
    wrong('clusters', 'an object with names of clusters', clusters)
  checkStatic(options.static, 'static')
  checkFlag(options.learnNodes, 'learnNodes')
  const prefer: unknown = isObject(address) ? address['prefer'] : undefined
  if (prefer !== undefined && !Array.isArray(prefer)) wrong('address.prefer', 'a list of CIDR blocks', prefer)
}

/** Throws `invalid_argument` unless a switch, if it is there, is true or false. */
export function checkFlag(value: unknown, field: string): void {
  if (value !== undefined && typeof value !== 'boolean') wrong(field, 'true or false', value)
}

/** Throws `invalid_argument` unless a static list, if there is one, is of lists by service. */
export function checkStatic(lists: unknown, field: string): void {
  if (lists === undefined) return
  if (!isObject(lists)) wrong(field, 'an object with a list of instances for each service', lists)
  for (const [service, list] of Object.entries(lists))
    if (!Array.isArray(list)) wrong(`${field}.${service}`, 'a list of instances', list)
}

const INTENTS: readonly unknown[] = ['starting', 'up', 'draining']
const LIVENESS: readonly unknown[] = ['lease', 'probe', 'static']
const NEEDED = ['service', 'port'] as const

/** Throws `invalid_argument` for a registration that lacks what it needs, all of it at once, or has it of another type. */
export function checkRegisterTypes(options: RegisterOptions): void {
  const missing = NEEDED.filter((name) => options[name] === undefined || options[name] === null)
  const [first] = missing
  if (first !== undefined)
    throw invalid(`${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing`, first)
  for (const name of ['service', 'host', 'id', 'group', 'namespace', 'protocol', 'zone'] as const)
    checkText(options[name], name)
  const { state, liveness, leaseMs, metadata, probe } = options
  if (state !== undefined) checkIntent(state)
  if (liveness !== undefined && !LIVENESS.includes(liveness))
    wrong('liveness', `one of ${LIVENESS.join(', ')}`, liveness)
  if (leaseMs !== undefined && !Number.isInteger(leaseMs))
    wrong('leaseMs', `a whole number of milliseconds from ${LIMITS.leaseMsMin}`, leaseMs)
  if (probe !== undefined && !isObject(probe)) wrong('probe', 'an object', probe)
  checkMetadata(metadata)
}

/** Throws `invalid_argument` for what a provider cannot say of itself. */
export function checkIntent(state: unknown): void {
  if (!INTENTS.includes(state)) wrong('state', `one of ${INTENTS.join(', ')}`, state)
}

/** Throws `invalid_argument` for a change of a registration that is of another type than it has to be. */
export function checkPatchTypes({ zone, protocol, weight, metadata }: RegistrationPatch): void {
  checkText(zone, 'zone')
  checkText(protocol, 'protocol')
  if (weight !== undefined && typeof weight !== 'number') wrong('weight', 'a number', weight)
  checkMetadata(metadata)
}

/** Throws `invalid_argument` unless metadata, if there is any, is texts by name. */
function checkMetadata(metadata: unknown): void {
  if (metadata === undefined) return
  if (!isObject(metadata)) wrong('metadata', 'an object of texts', metadata)
  for (const [name, value] of Object.entries(metadata))
    if (typeof value !== 'string') wrong(`metadata.${name}`, 'a text', value)
}
