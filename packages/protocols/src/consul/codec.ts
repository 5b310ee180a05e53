/** Bodies of requests, as the definitions that they make: any case of keys, as Consul reads them, within bounds. Pure. */
import { RegistryError } from '@rollcall/wire'
import {
  checkIdOf,
  type CheckDefinition,
  type CheckType,
  isStatus,
  type ServiceDefinition,
  type CheckStatus,
  type TaggedAddress,
  type Weights,
} from './definitions.js'
import { durationOf } from './durations.js'

/** Consul itself bounds Meta: 64 pairs, keys of 128 and values of 512 characters. */
const META_PAIRS_MAX = 64
const META_KEY = /^[A-Za-z0-9_-]{1,128}$/
const META_VALUE_CHARS_MAX = 512
/** Beyond these a registration cannot fit into what is kept of it. */
const TAGS_MAX = 256
const TEXT_CHARS_MAX = 8_192
const CHECKS_MAX = 16
const WEIGHT_MAX = 65_535
/** Consul's own least: of an interval, and of the time after which a critical service goes. */
const INTERVAL_MS_MIN = 1_000
const DEREGISTER_MS_MIN = 60_000
const TIMEOUT_MS = 10_000
const DURATION_MS_MAX = 86_400_000

/** An object by its keys in lower case, without underscores: `deregister_critical_service_after` is the same as in Go's spelling. */
export class Members {
  private readonly values = new Map<string, unknown>()

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(`Request decode failed: ${what} must be an object`)
    // Of several spellings the last one that says something counts.
    for (const [key, each] of Object.entries(value))
      if (each !== null) this.values.set(key.toLowerCase().replaceAll('_', ''), each)
  }

  get(name: string): unknown {
    return this.values.get(name)
  }

  text(name: string): string {
    const value = this.get(name) ?? ''
    if (typeof value !== 'string') throw invalid(`Request decode failed: ${name} must be a string`)
    if (value.length > TEXT_CHARS_MAX) throw invalid(`Request decode failed: ${name} is too long`)
    return value
  }

  number(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number))
      throw invalid(`Request decode failed: ${name} must be an integer`)
    return number
  }

  flag(name: string): boolean {
    const value = this.get(name) ?? false
    if (typeof value === 'boolean') return value
    if (value === 'true' || value === 'false') return value === 'true'
    throw invalid(`Request decode failed: ${name} must be true or false`)
  }

  duration(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined || value === '') return undefined
    const ms = durationOf(value)
    if (ms === undefined) throw invalid(`Request decode failed: ${name} must be a duration such as 10s`)
    return ms === 0 ? undefined : ms
  }

  members(name: string): Members | undefined {
    const value = this.get(name)
    return value === undefined ? undefined : new Members(value, name)
  }

  list(name: string): readonly unknown[] {
    const value = this.get(name) ?? []
    if (!Array.isArray(value)) throw invalid(`Request decode failed: ${name} must be a list`)
    return value
  }
}

/** A 400 with words for the client. */
export function invalid(message: string): RegistryError {
  return new RegistryError('invalid_argument', message)
}

/** A registration of a service. `defaultAddress` stands in where it names none. */
export function readService(body: unknown, defaultAddress: string): ServiceDefinition {
  const members = new Members(body, 'the body')
  const name = members.text('name')
  if (name === '') throw invalid('Missing service name')
  const kind = members.text('kind')
  const connect = members.members('connect')
  if (
    kind !== '' ||
    members.get('proxy') !== undefined ||
    connect?.flag('native') === true ||
    connect?.get('sidecarservice') !== undefined
  )
    throw invalid('Connect is not supported: Rollcall has no service mesh, register the service itself')
  if (members.text('socketpath') !== '') throw invalid('Invalid service: SocketPath is not supported')
  const id = members.text('id') || name
  const address = members.text('address')
  if (/^(?:0\.0\.0\.0|::|\[::\])$/.test(address)) throw invalid('Invalid service address')
  const port = members.number('port') ?? 0
  if (port < 0 || port > 65_535) throw invalid('Invalid service port: must be from 0 to 65535')
  if (port === 0) throw invalid('Invalid service: Rollcall needs a Port, from 1 to 65535')
  const weights = weightsOf(members.members('weights'))
  const tagged = taggedOf(members.get('taggedaddresses'))
  const checks = readChecks(members, id, name)
  return {
    id,
    name,
    tags: tagsOf(members),
    meta: metaOf(members.get('meta')),
    address: address || defaultAddress,
    port,
    ...(tagged === undefined ? {} : { taggedAddresses: tagged }),
    ...(members.flag('enabletagoverride') ? { enableTagOverride: true as const } : {}),
    ...(weights === undefined ? {} : { weights }),
    checks,
  }
}

function tagsOf(members: Members): readonly string[] {
  const tags = members.list('tags')
  if (tags.length > TAGS_MAX) throw invalid(`Invalid service: at most ${TAGS_MAX} tags`)
  return tags.map((tag) => {
    if (typeof tag !== 'string') throw invalid('Request decode failed: tags must be strings')
    return tag
  })
}

function metaOf(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('Request decode failed: meta must be an object')
  const pairs = Object.entries(value)
  if (pairs.length > META_PAIRS_MAX) throw invalid(`Invalid Service Meta: at most ${META_PAIRS_MAX} pairs`)
  for (const [key, each] of pairs) {
    if (!META_KEY.test(key)) throw invalid('Invalid Service Meta: keys are 1 to 128 of A-Z a-z 0-9 _ -')
    if (key.startsWith('consul-'))
      throw invalid(`Invalid Service Meta: key ${key} begins with consul-, which is reserved`)
    if (typeof each !== 'string' || each.length > META_VALUE_CHARS_MAX)
      throw invalid(
        `Invalid Service Meta: the value of ${key} must be a string of at most ${META_VALUE_CHARS_MAX} characters`,
      )
  }
  return Object.fromEntries(pairs) as Record<string, string>
}

/** Go's client sends both as 0 where its user gave none. */
function weightsOf(members: Members | undefined): Weights | undefined {
  if (members === undefined) return undefined
  const Passing = members.number('passing') ?? 0
  const Warning = members.number('warning') ?? 0
  if (Passing === 0 && Warning === 0) return undefined
  if (Passing < 1) throw invalid('Invalid Weights: Passing must be greater than 0')
  if (Warning < 0) throw invalid('Invalid Weights: Warning must be greater or equal than 0')
  if (Passing > WEIGHT_MAX || Warning > WEIGHT_MAX) throw invalid(`Invalid Weights: at most ${WEIGHT_MAX}`)
  return { Passing, Warning }
}

function taggedOf(value: unknown): Readonly<Record<string, TaggedAddress>> | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('Request decode failed: taggedaddresses must be an object')
  const pairs = Object.entries(value)
  if (pairs.length > META_PAIRS_MAX) throw invalid('Invalid service: too many TaggedAddresses')
  if (pairs.length === 0) return undefined
  return Object.fromEntries(
    pairs.map(([name, each]) => {
      const members = new Members(each, 'a tagged address')
      return [name, { Address: members.text('address'), Port: members.number('port') ?? 0 }]
    }),
  )
}

/** `Check` comes first, then `Checks`; one that says nothing at all is none. */
function readChecks(members: Members, serviceId: string, serviceName: string): readonly CheckDefinition[] {
  const one = members.members('check')
  const all = [
    ...(one === undefined ? [] : [one]),
    ...members.list('checks').map((each) => new Members(each, 'a check')),
  ]
  const given = all.filter(saysSomething)
  if (given.length > CHECKS_MAX) throw invalid(`Invalid check: at most ${CHECKS_MAX} checks for a service`)
  const ids = new Set<string>()
  return given.map((each, place) => {
    const check = readCheck(each, {
      id: checkIdOf(serviceId, place, given.length),
      name: `Service '${serviceName}' check`,
    })
    if (ids.has(check.id)) throw invalid(`Invalid check: ${check.id} is there twice`)
    ids.add(check.id)
    return check
  })
}

/** Spring and Go send a check of nothing but nulls and empty values where there is none. */
const SAYING = [
  'ttl',
  'http',
  'tcp',
  'udp',
  'grpc',
  'h2ping',
  'osservice',
  'args',
  'scriptargs',
  'script',
  'shell',
  'dockercontainerid',
  'aliasservice',
  'aliasnode',
  'checkid',
  'id',
  'interval',
  'status',
]

function saysSomething(members: Members): boolean {
  return SAYING.some((name) => {
    const value = members.get(name)
    return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)
  })
}

/** A registration of a check by itself, with the service that it is for. */
export function readCheckRegistration(body: unknown): {
  readonly serviceId: string
  readonly check: CheckDefinition
} {
  const members = new Members(body, 'the body')
  const name = members.text('name')
  if (name === '') throw invalid('Missing check name')
  const serviceId = members.text('serviceid')
  if (serviceId === '')
    throw invalid('Invalid check: Rollcall has no checks of a whole node, name a ServiceID')
  return { serviceId, check: readCheck(members, { id: name, name }) }
}

const UNSUPPORTED: readonly (readonly [name: string, words: string])[] = [
  ['args', 'scripts are not run'],
  ['scriptargs', 'scripts are not run'],
  ['script', 'scripts are not run'],
  ['shell', 'scripts are not run'],
  ['dockercontainerid', 'Docker checks are not made'],
  ['udp', 'UDP checks are not made'],
  ['h2ping', 'H2PING checks are not made'],
  ['osservice', 'checks of services of the system are not made'],
  ['aliasservice', 'alias checks are not made'],
  ['aliasnode', 'alias checks are not made'],
]

const TARGETS = ['http', 'tcp', 'grpc'] as const

function readCheck(
  members: Members,
  defaults: { readonly id: string; readonly name: string },
): CheckDefinition {
  for (const [name, words] of UNSUPPORTED) {
    const value = members.get(name)
    if (value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0))
      throw invalid(`Invalid check: ${words} by Rollcall`)
  }
  const targets = TARGETS.filter((type) => members.text(type) !== '')
  const ttlMs = members.duration('ttl')
  const intervalMs = members.duration('interval')
  if (ttlMs !== undefined && (intervalMs !== undefined || targets.length > 0))
    throw invalid('Invalid check: Interval and TTL must not both be specified')
  const [type] = targets
  if (targets.length > 1) throw invalid(`Invalid check: both ${targets.join(' and ')}`)
  if (ttlMs === undefined && type === undefined)
    throw invalid('Invalid check: TTL must be > 0 for TTL checks')
  const statusText = members.text('status')
  if (statusText !== '' && !isStatus(statusText))
    throw invalid("Status for checks must 'passing', 'warning', 'critical'")
  const status: CheckStatus = isStatus(statusText) ? statusText : 'critical'
  const notes = members.text('notes')
  const deregister = members.duration('deregistercriticalserviceafter')
  const common = {
    id: members.text('checkid') || members.text('id') || defaults.id,
    name: members.text('name') || defaults.name,
    ...(notes === '' ? {} : { notes }),
    status,
    fresh: true as const,
    ...(deregister === undefined
      ? {}
      : { deregisterAfterMs: bounded(Math.max(deregister, DEREGISTER_MS_MIN)) }),
  }
  if (type === undefined) return { ...common, type: 'ttl', ttlMs: bounded(ttlMs ?? 0) }
  if (intervalMs === undefined || intervalMs < 0)
    throw invalid(`Invalid check: Interval must be > 0 for ${type.toUpperCase()} checks`)
  return { ...common, ...activeOf(members, type, intervalMs) }
}

function activeOf(
  members: Members,
  type: Exclude<CheckType, 'ttl'>,
  intervalMs: number,
): Pick<CheckDefinition, 'type' | 'intervalMs' | 'timeoutMs' | 'target'> & Partial<CheckDefinition> {
  const method = members.text('method')
  if (method !== '' && method.toUpperCase() !== 'GET')
    throw invalid(`Invalid check: Rollcall asks with GET, not with ${method}`)
  if (members.text('body') !== '') throw invalid('Invalid check: Rollcall sends no Body')
  if (members.flag('tcpusetls')) throw invalid('Invalid check: TCPUseTLS is not supported')
  const serverName = members.text('tlsservername')
  const headers = type === 'http' ? headersOf(members.get('header')) : undefined
  const success = countOf(members, 'successbeforepassing')
  const failures = countOf(members, 'failuresbeforecritical')
  return {
    type,
    intervalMs: bounded(Math.max(intervalMs, INTERVAL_MS_MIN)),
    timeoutMs: bounded(members.duration('timeout') ?? TIMEOUT_MS),
    target: members.text(type),
    ...(headers === undefined ? {} : { headers }),
    ...(members.flag('grpcusetls') && type === 'grpc' ? { tls: true as const } : {}),
    ...(members.flag('tlsskipverify') ? { insecure: true as const } : {}),
    ...(serverName === '' ? {} : { serverName }),
    ...(success === 0 ? {} : { successBeforePassing: success }),
    ...(failures === 0 ? {} : { failuresBeforeCritical: failures }),
  }
}

function countOf(members: Members, name: string): number {
  return Math.min(Math.max(members.number(name) ?? 0, 0), 1_000)
}

/** Lists of values, as Consul has them; several of one name are one line of HTTP. */
function headersOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('Request decode failed: header must be an object')
  const pairs = Object.entries(value).map(([name, each]): [string, string] => {
    const values: readonly unknown[] = Array.isArray(each) ? each : [each]
    if (!values.every((one) => typeof one === 'string'))
      throw invalid('Request decode failed: values of header must be lists of strings')
    return [name, values.join(', ')]
  })
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs)
}

function bounded(ms: number): number {
  if (ms < 0) throw invalid('Invalid check: a duration is negative')
  return Math.min(Math.round(ms), DURATION_MS_MAX)
}

/** The body of `check/update`. */
export function readUpdate(body: unknown): { readonly status: CheckStatus; readonly output: string } {
  const members = new Members(body, 'the body')
  const status = members.text('status')
  if (!isStatus(status)) throw invalid(`Invalid check status: '${status}'`)
  const output = members.get('output') ?? ''
  return { status, output: typeof output === 'string' ? output : '' }
}
