/**
 * What other nodes say, by way of the engine or directly, checked before it is believed: nothing that follows from what passes
 * here can fail. Members that this release does not know pass, words that it does not know do not. Pure.
 */
import { ID_PATTERN, isHost, LIMITS, NAME_PATTERN, OPERATOR_LIMITS, type Probe } from '@rollcall/wire'
import { checkAllow, checkSettings } from '../admission/admission.js'
import { checkProbe } from '../admission/probe.js'
import { VALUE_CHARS_MAX, VALUE_KEY_CHARS_MAX } from '../directory/kept-values.js'
import type { Declaration } from '../records/declaration.js'
import type { Learnable } from '../records/learnable.js'
import { type Content, FOREIGN_BYTES_MAX, type StoredRecord, type Verdict } from '../records/record.js'
import type { Register } from '../records/register.js'

type Unknown = Readonly<Record<string, unknown>>

/** Ids of nodes are a name and an id of the boot. */
const NODE_CHARS_MAX = 256
const REASON_CHARS_MAX = 1_024
const PEER_CHARS_MAX = 64

/** Metadata of one instance, whatever the node that accepted it allows. */
const METADATA_CHARS_MAX = 131_072

const ANY_METADATA = { ...LIMITS, metadataBytesMax: Infinity, metadataKeysMax: Infinity }

/** What one node may ask of an instance was decided where it registered. */
const ANY_PROBE = { otherPorts: true, credentials: true }

const INTENTS: ReadonlySet<unknown> = new Set(['starting', 'up', 'draining'])
const VERDICTS: ReadonlySet<unknown> = new Set(['up', 'suspect', 'down', 'expired'])
const LIVENESS: ReadonlySet<unknown> = new Set(['lease', 'probe', 'static'])
const PROBES: ReadonlySet<unknown> = new Set(['tcp', 'http', 'grpc', 'none'])
const REMOVERS: ReadonlySet<unknown> = new Set(['provider', 'host', 'operator'])
const DIGEST = /^[0-9a-f]{16}$/

export function isObject(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown, charsMax: number = Infinity): value is string {
  return typeof value === 'string' && value.length <= charsMax
}

export function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}

/** Whether it is a record or a declaration as this release knows them. */
export function isLearnable(value: unknown): value is Learnable {
  return (
    isObject(value) && (value['kind'] === 'record' ? isStoredRecord(value['record']) : isDeclaration(value))
  )
}

/** Whether it is a record as this release knows it, whatever else stands in it. */
export function isStoredRecord(value: unknown): value is StoredRecord {
  if (!isObject(value)) return false
  const { namespace, service, group, id, incarnation, content, verdict, override } = value
  return (
    [namespace, service, group].every(isName) &&
    isText(id) &&
    ID_PATTERN.test(id) &&
    isCount(incarnation) &&
    isContent(content) &&
    isVerdict(verdict) &&
    (override === undefined || isRegister(override, isWishes))
  )
}

/** Whether it is a declaration as this release knows it, whatever else stands in it. */
export function isDeclaration(value: unknown): value is Declaration {
  if (!isObject(value)) return false
  const { kind, namespace, service, protocol, key, register } = value
  if (kind === 'freeze')
    return (namespace === '*' || isName(namespace)) && isRegister(register, (held) => held === true)
  if (kind === 'namespace') return isName(namespace) && isRegister(register, isNamespaceSettings)
  if (kind === 'value')
    return (
      [namespace, protocol].every(isName) &&
      isText(key, VALUE_KEY_CHARS_MAX) &&
      isRegister(register, isShort(VALUE_CHARS_MAX))
    )
  return kind === 'service' && isName(namespace) && isName(service) && isRegister(register, isServiceSettings)
}

function isCount(value: unknown): value is number {
  return isInteger(value, 0, Number.MAX_SAFE_INTEGER)
}

function isName(value: unknown): boolean {
  return isText(value) && NAME_PATTERN.test(value)
}

function isPort(value: unknown): boolean {
  return isInteger(value, 1, 65_535)
}

/** Whether a member is absent or passes. */
function may(value: unknown, passes: (value: unknown) => boolean): boolean {
  return value === undefined || passes(value)
}

function isShort(charsMax: number): (value: unknown) => boolean {
  return (value) => isText(value, charsMax)
}

function isContent(value: unknown): value is Content {
  if (!isObject(value) || !isCount(value['rev'])) return false
  if (value['intent'] !== 'gone') return isLiveContent(value)
  const { by, last } = value
  return REMOVERS.has(by) && may(last, isLiveContent)
}

function isLiveContent(value: unknown): boolean {
  if (!isObject(value)) return false
  const { intent, rev, host, port, protocol, weight, zone, metadata, leaseMs, liveness, probe } = value
  const { named, peer, digest, restored, foreign } = value
  return (
    INTENTS.has(intent) &&
    isCount(rev) &&
    isText(host) &&
    isHost(host) &&
    isPort(port) &&
    isInteger(weight, 0, 2 ** 31) &&
    isInteger(leaseMs, 1, Number.MAX_SAFE_INTEGER) &&
    may(protocol, isName) &&
    may(zone, isName) &&
    isPairs(metadata) &&
    LIVENESS.has(liveness) &&
    may(probe, (each) => isProbe(each, port as number)) &&
    typeof named === 'boolean' &&
    may(peer, isShort(PEER_CHARS_MAX)) &&
    may(restored, (each) => each === true) &&
    may(foreign, isForeign) &&
    isText(digest) &&
    DIGEST.test(digest)
  )
}

/** Its document is text here; what stands in it is checked by the adapter that reads it. */
function isForeign(value: unknown): boolean {
  return isObject(value) && isName(value['protocol']) && isText(value['document'], FOREIGN_BYTES_MAX)
}

function isPairs(value: unknown): value is Readonly<Record<string, string>> {
  if (!isObject(value)) return false
  let chars = 0
  for (const name of Object.keys(value)) {
    const text = value[name]
    if (name === '__proto__' || !isText(text)) return false
    chars += name.length + text.length
  }
  return chars <= METADATA_CHARS_MAX
}

/** Whether a prober can ask it, by the same rules by which a registration is admitted. */
function isProbe(value: unknown, ownPort: number): boolean {
  if (!isObject(value)) return false
  const { type, port, path, status, headers, serviceName, tls } = value
  const isOne =
    PROBES.has(type) &&
    may(port, isPort) &&
    [path, status, serviceName].every((each) => may(each, isText)) &&
    may(headers, isPairs) &&
    may(tls, isTls)
  return isOne && checkProbe(value as unknown as Probe, ownPort, ANY_PROBE) === undefined
}

function isTls(value: unknown): boolean {
  if (typeof value === 'boolean') return true
  if (!isObject(value)) return false
  const { insecure, serverName } = value
  return may(insecure, (each) => typeof each === 'boolean') && may(serverName, isText)
}

function isVerdict(value: unknown): value is Verdict {
  if (!isObject(value)) return false
  const { value: verdict, claim, node, seq, reason } = value
  return (
    VERDICTS.has(verdict) &&
    isCount(claim) &&
    isText(node, NODE_CHARS_MAX) &&
    isCount(seq) &&
    isText(reason, REASON_CHARS_MAX)
  )
}

function isRegister(value: unknown, isValue: (value: unknown) => boolean): value is Register<unknown> {
  if (!isObject(value)) return false
  const { counter, node, value: held, by, why } = value
  return (
    isCount(counter) &&
    isText(node, NODE_CHARS_MAX) &&
    may(by, isShort(OPERATOR_LIMITS.byCharsMax)) &&
    may(why, isShort(OPERATOR_LIMITS.whyCharsMax)) &&
    (held === null || isValue(held))
  )
}

function isWishes(value: unknown): boolean {
  if (!isObject(value)) return false
  const { drain, disable, weight, durationMs } = value
  return (
    [drain, disable].every((each) => may(each, (wish) => typeof wish === 'boolean')) &&
    may(weight, isWeight) &&
    may(durationMs, isCount)
  )
}

function isWeight(value: unknown): boolean {
  return isObject(value) && isInteger(value['value'], 0, 2 ** 31) && isCount(value['incarnation'])
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => isText(each))
}

function isNamespaceSettings(value: unknown): boolean {
  return isObject(value) && may(value['allow'], isTexts) && checkAllow(value) === undefined
}

/** By the rules by which it is declared; how much metadata it may have was decided there. */
function isServiceSettings(value: unknown): boolean {
  if (!isObject(value)) return false
  const { groups, allow, metadata, removalMs, breaker } = value
  const isOne =
    [groups, allow].every((each) => may(each, isTexts)) &&
    may(metadata, isPairs) &&
    may(removalMs, isCount) &&
    may(breaker, isBreaker)
  return isOne && checkSettings(value, ANY_METADATA) === undefined
}

function isBreaker(value: unknown): boolean {
  if (!isObject(value)) return false
  const { enabled, share } = value
  return may(enabled, (each) => typeof each === 'boolean') && may(share, (each) => typeof each === 'number')
}
