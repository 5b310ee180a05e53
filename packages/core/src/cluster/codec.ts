/**
 * Records, declarations and nodes as the engine holds them: JSON. What comes from there is checked before it is believed. Members
 * that this release does not know are kept as they are, so that nodes of two releases can work on one record.
 */
import { ID_PATTERN, NAME_PATTERN, PROBE_FORMS } from '@rollcall/wire'
import { isHost } from '@rollcall/wire'
import { type Declaration, declarationKey } from '../records/declaration.js'
import type { Content, InstanceKey, StoredRecord, Verdict } from '../records/record.js'
import type { Register } from '../records/register.js'
import { recordKey } from './layout.js'
import type { PeerNode } from './peers.js'

export function encodeRecord(record: StoredRecord): string {
  return JSON.stringify(record)
}

/** The record of an instance; undefined where the text is none. */
export function decodeRecord(key: InstanceKey, text: string): StoredRecord | undefined {
  const value = parse(text)
  return isStoredRecord(value) && recordKey(value) === recordKey(key) ? value : undefined
}

export function encodeDeclaration(declaration: Declaration): string {
  return JSON.stringify(declaration)
}

/** The declaration of a name; undefined where the text is none. */
export function decodeDeclaration(name: string, text: string): Declaration | undefined {
  const value = parse(text)
  return isDeclaration(value) && declarationKey(value) === name ? value : undefined
}

export function encodeNode(node: PeerNode): string {
  return JSON.stringify(node)
}

/** The node of an id; undefined where the text is none. Nodes dial its address, and clients are told of it. */
export function decodeNode(id: string, text: string): PeerNode | undefined {
  const value = parse(text)
  if (!isObject(value)) return undefined
  const { node, name, address, version } = value
  if (node !== id || id.length > NODE_TEXT_MAX || !isHostPort(address)) return undefined
  if (!isText(version) || version.length > NODE_TEXT_MAX) return undefined
  return { node: id, address, version, ...(isNodeName(name) ? { name } : {}) }
}

/** Longer ids and versions of nodes are none: they stand in each line about them. */
const NODE_TEXT_MAX = 256

function isNodeName(value: unknown): value is string {
  return isText(value) && /^[A-Za-z0-9._-]{1,128}$/.test(value)
}

function isHostPort(value: unknown): value is string {
  const match = isText(value) ? /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) : null
  if (match === null) return false
  const [, bracketed, plain = '', digits] = match
  const isHostThere = bracketed === undefined ? isHost(plain) : bracketed.includes(':') && isHost(bracketed)
  return isHostThere && isInteger(Number(digits), 1, 65_535)
}

type Unknown = Readonly<Record<string, unknown>>

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || isText(value)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}

function isPort(value: unknown): boolean {
  return isInteger(value, 1, 65_535)
}

function isName(value: unknown): boolean {
  return isText(value) && NAME_PATTERN.test(value)
}

const INTENTS: ReadonlySet<unknown> = new Set(['starting', 'up', 'draining'])
const VERDICTS: ReadonlySet<unknown> = new Set(['up', 'suspect', 'down', 'expired'])
const LIVENESS: ReadonlySet<unknown> = new Set(['lease', 'probe', 'static'])
const PROBES: ReadonlySet<unknown> = new Set(['tcp', 'http', 'grpc', 'none'])
const REMOVERS: ReadonlySet<unknown> = new Set(['provider', 'host', 'operator'])
const DIGEST = /^[0-9a-f]{16}$/

/** Whether it is a record as this release knows it, whatever else stands in it. */
export function isStoredRecord(value: unknown): value is StoredRecord {
  if (!isObject(value)) return false
  const { namespace, service, group, id, incarnation, content, verdict, override } = value
  return (
    [namespace, service, group].every(isName) &&
    isText(id) &&
    ID_PATTERN.test(id) &&
    isNumber(incarnation) &&
    isContent(content) &&
    isVerdict(verdict) &&
    (override === undefined || isRegister(override, isWishes))
  )
}

function isContent(value: unknown): value is Content {
  if (!isObject(value) || !isNumber(value['rev'])) return false
  if (value['intent'] !== 'gone') return isLiveContent(value)
  const { by, last } = value
  return REMOVERS.has(by) && (last === undefined || (isObject(last) && isLiveContent(last)))
}

function isLiveContent(value: Unknown): boolean {
  const { intent, rev, host, port, protocol, weight, zone, metadata, leaseMs, liveness, probe } = value
  const { named, peer, digest } = value
  return (
    INTENTS.has(intent) &&
    isNumber(rev) &&
    isPort(port) &&
    isInteger(weight, 0, 2 ** 31) &&
    isInteger(leaseMs, 1, Number.MAX_SAFE_INTEGER) &&
    isText(host) &&
    [protocol, zone, peer].every(isTextOrAbsent) &&
    isObject(metadata) &&
    Object.values(metadata).every(isText) &&
    LIVENESS.has(liveness) &&
    (probe === undefined || isProbe(probe)) &&
    typeof named === 'boolean' &&
    isText(digest) &&
    DIGEST.test(digest)
  )
}

const PATH = new RegExp(PROBE_FORMS.path)

/** Whether a prober can ask it. */
function isProbe(value: unknown): boolean {
  if (!isObject(value)) return false
  const { type, port, path, status, serviceName, tls } = value
  return (
    PROBES.has(type) &&
    (port === undefined || isPort(port)) &&
    (path === undefined || (isText(path) && PATH.test(path))) &&
    [status, serviceName].every(isTextOrAbsent) &&
    (tls === undefined || typeof tls === 'boolean' || (isObject(tls) && isTextOrAbsent(tls['serverName'])))
  )
}

function isVerdict(value: unknown): value is Verdict {
  if (!isObject(value)) return false
  const { value: verdict, claim, node, seq, reason } = value
  return VERDICTS.has(verdict) && isNumber(claim) && isText(node) && isNumber(seq) && isText(reason)
}

function isRegister(value: unknown, isValue: (value: unknown) => boolean): value is Register<unknown> {
  if (!isObject(value)) return false
  const { counter, node, by, why } = value
  const held = value['value']
  return (
    isNumber(counter) && isText(node) && [by, why].every(isTextOrAbsent) && (held === null || isValue(held))
  )
}

function isWishes(value: unknown): boolean {
  if (!isObject(value)) return false
  const { weight, durationMs } = value
  return (
    (weight === undefined ||
      (isObject(weight) && isNumber(weight['value']) && isNumber(weight['incarnation']))) &&
    (durationMs === undefined || isNumber(durationMs))
  )
}

/** Whether it is a declaration as this release knows it, whatever else stands in it. */
export function isDeclaration(value: unknown): value is Declaration {
  if (!isObject(value) || !isText(value['namespace'])) return false
  const { kind, service, register } = value
  if (kind === 'freeze') return isRegister(register, (held) => held === true)
  if (kind === 'namespace') return isRegister(register, isNamespaceSettings)
  return kind === 'service' && isText(service) && isRegister(register, isServiceSettings)
}

function isTextsOrAbsent(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every(isText))
}

function isNamespaceSettings(value: unknown): boolean {
  return isObject(value) && isTextsOrAbsent(value['allow'])
}

function isServiceSettings(value: unknown): boolean {
  if (!isObject(value)) return false
  const { groups, allow, metadata, removalMs, breaker } = value
  return (
    isTextsOrAbsent(groups) &&
    isTextsOrAbsent(allow) &&
    (metadata === undefined || (isObject(metadata) && Object.values(metadata).every(isText))) &&
    (removalMs === undefined || isNumber(removalMs)) &&
    (breaker === undefined || isObject(breaker))
  )
}
