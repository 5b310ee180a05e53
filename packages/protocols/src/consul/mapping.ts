/**
 * Between Consul's services and our instances, both ways. Pure.
 *
 * A service of Consul is the service of the same name in namespace and group `default`, its id the id of the instance, both
 * escaped where they are no names of ours. What has no field of ours is kept in the document of the record, so that Consul's
 * clients get their own back. Instances that came by another protocol are shown with one check that their state makes.
 */
import { FOREIGN_BYTES_MAX, type Offer, type RegisterCommand } from '@rollcall/core'
import { DEFAULTS, type Instance, LIMITS, NAME_PATTERN, type Intent, type Probe } from '@rollcall/wire'
import { escapeId, escapeName, readName } from '../foreign/names.js'
import {
  type CheckDefinition,
  type CheckType,
  isStatus,
  type CheckStatus,
  type ServiceDefinition,
  standingOf,
  type TaggedAddress,
  type Weights,
  withoutSay,
  worstOf,
} from './definitions.js'
import { invalid } from './codec.js'
import { parseTarget } from './targets.js'

/** Name of the protocol: of documents, and of callers. */
export const PROTOCOL = 'consul'

export const NAMESPACE: string = DEFAULTS.namespace
const GROUP: string = DEFAULTS.group

/** Metadata that tells others of the tags; Consul keeps the prefix from its clients. */
const TAGS_KEY = 'consul-tags'

/** Bytes that the registry keeps of a definition. */
const DOCUMENT_BYTES_MAX = FOREIGN_BYTES_MAX

/** Where no client says how often it is to be asked, or what it beats in, a lease of its own makes no sense. */
const LEASE_MS_MIN = 15_000

/** Names one instance of ours. */
export interface Key {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
}

/** The name of ours for a service of Consul; undefined where it is too long for one. */
export function serviceKey(name: string): string | undefined {
  return escapeName(name)
}

/** Where a definition stands. Throws a 400 for names that are too long. */
export function keyOf({ name, id }: Pick<ServiceDefinition, 'name' | 'id'>): Key {
  const service = escapeName(name)
  if (service === undefined)
    throw invalid(
      'Invalid service name: too long for Rollcall, where it has 128 characters, fewer with others than A-Z a-z 0-9 . _ -',
    )
  const instance = escapeId(id)
  if (instance === undefined)
    throw invalid(
      'Invalid service ID: too long for Rollcall, where it has 320 characters, fewer with others than A-Z a-z 0-9 . _ : [ ] -',
    )
  return { namespace: NAMESPACE, service, group: GROUP, id: instance }
}

/** The definition of an offer of this protocol. */
export function definitionOf({ content: { foreign } }: Offer): ServiceDefinition | undefined {
  return foreign?.protocol === PROTOCOL ? readDocument(foreign.document) : undefined
}

/** The registration that a definition makes. */
export function toCommand(definition: ServiceDefinition): RegisterCommand {
  const { meta, weights, address, port } = definition
  const worst = worstOf(definition.checks.map((check) => standingOf(check).status))
  const zone = meta['zone']
  return {
    ...keyOf(definition),
    host: address,
    port,
    weight: weights === undefined ? DEFAULTS.weight : worst === 'warning' ? weights.Warning : weights.Passing,
    ...(zone !== undefined && NAME_PATTERN.test(zone) ? { zone } : {}),
    metadata: metadataOf(definition),
    intent: intentOf(definition.checks),
    ...livenessOf(definition),
    foreign: { protocol: PROTOCOL, document: documentOf(definition) },
  }
}

/** What is kept of a definition. What was put out by its checks goes first where it is too much. */
function documentOf(definition: ServiceDefinition): string {
  const text = JSON.stringify(definition)
  if (Buffer.byteLength(text) <= DOCUMENT_BYTES_MAX) return text
  const checks = definition.checks.map((check) => ({
    ...check,
    output: '',
    ...(check.found === undefined ? {} : { found: { ...check.found, output: '' } }),
  }))
  return JSON.stringify({ ...definition, checks })
}

/** What the words on a check take without what it puts out. */
const WORDS_BYTES = 100

/** Throws a 400 where a definition has no room for what will be said of its checks. */
export function demandRoom(definition: ServiceDefinition, { foreign }: RegisterCommand): void {
  const room = DOCUMENT_BYTES_MAX - WORDS_BYTES * definition.checks.length
  if (Buffer.byteLength(foreign?.document ?? '') <= room) return
  const checks = definition.checks.map(withoutSay)
  if (Buffer.byteLength(JSON.stringify({ ...definition, checks })) > room)
    throw invalid(`Invalid service: too large for Rollcall, where it has ${DOCUMENT_BYTES_MAX} bytes as JSON`)
}

/**
 * What its client's words make of it: not to be called before its first good word, and no longer after a bad one. Silence is
 * no word: what it means natively is judged by the core.
 */
export function intentOf(checks: readonly CheckDefinition[]): Intent {
  const bad = checks.filter(({ status }) => status === 'critical')
  if (bad.length === 0) return 'up'
  return bad.every(({ fresh }) => fresh === true) ? 'starting' : 'draining'
}

type LivenessFields = Pick<RegisterCommand, 'liveness' | 'leaseMs' | 'probe'>

/**
 * A TTL is half a lease: a client that beats as late as it may is never asked for a sign of life. What is checked by us is
 * probed by the core too, so that it is judged also by nodes without this adapter. What has no check is there until it is
 * deregistered.
 */
function livenessOf({ checks, address, port }: ServiceDefinition): LivenessFields {
  const active = checks.filter(({ type }) => type !== 'ttl')
  if (active.length > 0) {
    const everyMs = Math.min(...active.map(({ intervalMs = LEASE_MS_MIN }) => intervalMs))
    const leaseMs = inLease(Math.max(3 * everyMs, LEASE_MS_MIN))
    const probe = active.map((check) => probeOf(check, address, port)).find((each) => each !== undefined)
    return probe === undefined
      ? { liveness: 'lease', leaseMs: inLease(2 * leaseMs) }
      : { liveness: 'probe', leaseMs, probe }
  }
  const ttls = checks.map(({ ttlMs = LEASE_MS_MIN }) => ttlMs)
  if (ttls.length === 0) return { liveness: 'static', leaseMs: DEFAULTS.leaseMs }
  return { liveness: 'lease', leaseMs: inLease(2 * Math.min(...ttls)) }
}

function inLease(ms: number): number {
  return Math.round(Math.min(Math.max(ms, LIMITS.leaseMsMin), LIMITS.leaseMsMax))
}

/** The check as a probe of the instance; undefined where it asks another host. */
function probeOf(check: CheckDefinition, host: string, port: number): Probe | undefined {
  const target = parseTarget(check)
  if (target === undefined || target.host !== host) return undefined
  const { port: asked, probe } = target
  return asked === port ? probe : { ...probe, port: asked }
}

/** Meta and tags, as far as metadata may hold them; the document has all of them. */
function metadataOf({ meta, tags }: ServiceDefinition): Readonly<Record<string, string>> {
  const pairs: (readonly [string, string])[] = Object.entries(meta)
  if (tags.length > 0) pairs.push([TAGS_KEY, tags.join(',')])
  const kept: (readonly [string, string])[] = []
  let bytes = 0
  for (const pair of pairs) {
    const size = Buffer.byteLength(pair[0]) + Buffer.byteLength(pair[1])
    if (kept.length === LIMITS.metadataKeysMax || bytes + size > LIMITS.metadataBytesMax) continue
    bytes += size
    kept.push(pair)
  }
  return Object.fromEntries(kept)
}

/** A check as it is shown. */
export interface ShownCheck {
  readonly id: string
  readonly name: string
  readonly status: CheckStatus
  readonly notes: string
  readonly output: string
  readonly type: CheckType | 'maintenance' | ''
  readonly intervalMs?: number
  readonly timeoutMs?: number
}

/** An instance as Consul's clients see it. */
export interface ShownService {
  readonly id: string
  readonly name: string
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
  readonly address: string
  readonly port: number
  readonly taggedAddresses: Readonly<Record<string, TaggedAddress>>
  readonly enableTagOverride: boolean
  readonly weights: Weights
  readonly checks: readonly ShownCheck[]
  readonly createIndex: number
  readonly modifyIndex: number
}

/** An instance of any protocol as a service of Consul. */
export function toShown(offer: Offer): ShownService {
  const { content, instance } = offer
  const document = definitionOf(offer)
  const indices = { createIndex: instance.incarnation, modifyIndex: instance.incarnation + content.rev }
  const maintenance = maintenanceOf(offer)
  if (document === undefined) {
    const { checks, ...made } = madeUp(instance)
    return { ...made, checks: [...checks, ...maintenance(made.id)], ...indices }
  }
  const { id, name, tags, meta, address, port } = document
  return {
    id,
    name,
    tags,
    meta,
    address,
    port,
    taggedAddresses: document.taggedAddresses ?? {},
    enableTagOverride: document.enableTagOverride === true,
    weights: document.weights ?? { Passing: 1, Warning: 1 },
    checks: [...document.checks.map((check) => shownCheck(check, instance)), ...maintenance(id)],
    ...indices,
  }
}

/** What is natively down is critical, whatever was said of its checks: there may be no node left that makes them. */
function shownCheck(check: CheckDefinition, { state, reason = '' }: Instance): ShownCheck {
  const { id, name, notes = '', type, intervalMs, timeoutMs } = check
  const standing = standingOf(check)
  const isDead = state === 'down' && standing.status !== 'critical'
  const { status, output } = isDead ? { status: 'critical' as const, output: `down: ${reason}` } : standing
  return {
    id,
    name,
    status,
    notes,
    output,
    type,
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
}

/** What an operator took out, by whichever protocol, is in maintenance here. */
function maintenanceOf({ override }: Offer): (id: string) => readonly ShownCheck[] {
  const wishes = override?.value
  return (id) =>
    wishes?.disable === true || wishes?.drain === true
      ? [
          {
            id: `_service_maintenance:${id}`,
            name: 'Service Maintenance Mode',
            status: 'critical',
            notes: override?.why ?? NO_REASON,
            output: '',
            type: 'maintenance',
          },
        ]
      : []
}

/** Consul's own words. */
const NO_REASON =
  'Maintenance mode is enabled for this service, but no reason was provided. This is a default message.'

const STATUS_OF: Readonly<Record<Instance['state'], CheckStatus>> = {
  up: 'passing',
  suspect: 'warning',
  starting: 'critical',
  down: 'critical',
  draining: 'critical',
  disabled: 'critical',
}

/** An instance that came by another protocol: its id is unique in its service only, so that the service is a part of it here. */
function madeUp(instance: Instance): Omit<ShownService, 'createIndex' | 'modifyIndex'> {
  const { service, group, host, port, zone, metadata, state, weight, reason = '' } = instance
  const id = group === GROUP ? `${service}:${instance.id}` : `${service}:${group}:${instance.id}`
  const share = weight === DEFAULTS.weight ? 1 : Math.max(1, weight)
  return {
    id,
    name: readName(service),
    tags: group === GROUP ? [] : [group],
    meta: zone === undefined || metadata['zone'] !== undefined ? metadata : { ...metadata, zone },
    address: host,
    port,
    taggedAddresses: {},
    enableTagOverride: false,
    weights: { Passing: share, Warning: share },
    checks: [
      {
        id: `service:${id}`,
        name: 'Rollcall state',
        status: STATUS_OF[state],
        notes: '',
        output: reason === '' ? state : `${state}: ${reason}`,
        type: '',
      },
    ],
  }
}

/** The document of a record; undefined where it is none that this version writes. */
export function readDocument(text: string): ServiceDefinition | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return isDefinition(value) ? value : undefined
}

type Unknown = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDefinition(value: unknown): value is ServiceDefinition {
  if (!isObject(value)) return false
  const { id, name, address, port, tags, meta, checks, taggedAddresses, weights } = value
  return (
    [id, name, address].every((each) => typeof each === 'string') &&
    typeof port === 'number' &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === 'string') &&
    isObject(meta) &&
    Object.values(meta).every((each) => typeof each === 'string') &&
    (taggedAddresses === undefined || isObject(taggedAddresses)) &&
    (weights === undefined || (isObject(weights) && typeof weights['Passing'] === 'number')) &&
    Array.isArray(checks) &&
    checks.every(isCheck)
  )
}

function isCheck(value: unknown): value is CheckDefinition {
  if (!isObject(value)) return false
  const { id, name, type, status, found, target, ttlMs, intervalMs, timeoutMs } = value
  return (
    typeof id === 'string' &&
    typeof name === 'string' &&
    isStatus(status) &&
    (found === undefined ||
      (isObject(found) && isStatus(found['status']) && typeof found['output'] === 'string')) &&
    (type === 'ttl' ||
      ((type === 'http' || type === 'tcp' || type === 'grpc') && typeof target === 'string')) &&
    [ttlMs, intervalMs, timeoutMs].every((each) => each === undefined || typeof each === 'number')
  )
}
