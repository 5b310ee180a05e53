/** What a registration may say about its probe, and what its words mean. */
import { type ErrorBody, errorBody, isDnsName, type Probe, PROBE_FORMS, PROBE_LIMITS } from '@rollcall/wire'

/** Fields that only some types know. */
const MEANT_FOR: Readonly<
  Record<'path' | 'status' | 'headers' | 'serviceName' | 'tls', readonly Probe['type'][]>
> = {
  path: ['http'],
  status: ['http'],
  headers: ['http'],
  serviceName: ['grpc'],
  tls: ['http', 'grpc'],
}

const PATH = new RegExp(PROBE_FORMS.path)
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const HEADER_VALUE = /^[\t -~\u0080-\u00ff]*$/
const SERVICE_NAME = new RegExp(PROBE_FORMS.serviceName)
const STATUSES = new RegExp(PROBE_FORMS.status)

/** Headers that frame the message or belong to the connection: not for the one who asks to be asked. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Headers that carry a right, or lead to another site of one server. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'host',
  'proxy-authorization',
])

/**
 * What probes may do beyond asking the registered port a plain question. Where many callers come through one proxy, its
 * address is the peer's, and with either of these each of them could have the node call anything that listens there.
 */
export interface ProbeRules {
  /** Whether a probe may go to another port than the registered one. */
  readonly otherPorts: boolean
  /** Whether it may carry `Host`, `Authorization`, `Proxy-Authorization` and `Cookie`. */
  readonly credentials: boolean
}

export const PROBE_RULES: ProbeRules = { otherPorts: false, credentials: false }

const DEFAULT_STATUS = '200-299'

function invalid(field: string, message: string): ErrorBody {
  return errorBody('invalid_argument', `probe.${field} ${message}`, `probe.${field}`)
}

/** Checks everything about the probe of an instance at `ownPort`; undefined when it is fine. */
export function checkProbe(probe: Probe, ownPort: number, rules: ProbeRules): ErrorBody | undefined {
  const { port, path, status, headers, serviceName, tls } = probe
  for (const [field, types] of Object.entries(MEANT_FOR)) {
    if (probe[field as keyof typeof MEANT_FOR] !== undefined && !types.includes(probe.type)) {
      return invalid(field, `needs type ${types.join(' or ')}`)
    }
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    return invalid('port', 'must be an integer from 1 to 65535')
  }
  if (port !== undefined && port !== ownPort && !rules.otherPorts) {
    return invalid('port', `must be the registered port, ${ownPort}, unless a node has probeOtherPorts`)
  }
  if (path !== undefined && (!PATH.test(path) || path.length > PROBE_LIMITS.pathCharsMax)) {
    return invalid(
      'path',
      `must start with / and have at most ${PROBE_LIMITS.pathCharsMax} characters of ASCII, without spaces and #`,
    )
  }
  if (status !== undefined && !isStatus(String(status))) {
    return invalid('status', 'must be a status from 200 to 599, or a list with ranges such as 200-299,401')
  }
  if (
    serviceName !== undefined &&
    (!SERVICE_NAME.test(serviceName) || serviceName.length > PROBE_LIMITS.serviceNameCharsMax)
  ) {
    return invalid(
      'serviceName',
      `must have 1 to ${PROBE_LIMITS.serviceNameCharsMax} characters of ASCII, without spaces`,
    )
  }
  if (typeof tls === 'object' && tls.serverName !== undefined && !isDnsName(tls.serverName)) {
    return invalid('tls.serverName', 'must be a DNS name')
  }
  return headers === undefined ? undefined : checkHeaders(headers, rules)
}

function checkHeaders(headers: Readonly<Record<string, string>>, rules: ProbeRules): ErrorBody | undefined {
  const names = Object.keys(headers)
  if (names.length > PROBE_LIMITS.headersMax)
    return invalid('headers', `must be at most ${PROBE_LIMITS.headersMax}`)
  const seen = new Set<string>()
  let chars = 0
  for (const name of names) {
    const value = headers[name] as string
    const lower = name.toLowerCase()
    if (!HEADER_NAME.test(name) || name.length > PROBE_LIMITS.headerNameCharsMax) {
      return invalid(
        'headers',
        `must have names of HTTP with at most ${PROBE_LIMITS.headerNameCharsMax} characters`,
      )
    }
    if (OWN_HEADERS.has(lower))
      return invalid(`headers.${name}`, 'belongs to the connection and cannot be given')
    if (CREDENTIAL_HEADERS.has(lower) && !rules.credentials)
      return invalid(`headers.${name}`, 'cannot be given unless a node has probeCredentials')
    if (seen.has(lower)) return invalid(`headers.${name}`, 'is there twice')
    if (!HEADER_VALUE.test(value) || value.length > PROBE_LIMITS.headerValueCharsMax) {
      return invalid(
        `headers.${name}`,
        `must have at most ${PROBE_LIMITS.headerValueCharsMax} characters, none of control`,
      )
    }
    seen.add(lower)
    chars += name.length + value.length
  }
  if (chars <= PROBE_LIMITS.headerCharsMax) return undefined
  return invalid(
    'headers',
    `must have at most ${PROBE_LIMITS.headerCharsMax} characters, names and values together`,
  )
}

function isStatus(text: string): boolean {
  return (
    text.length <= PROBE_LIMITS.statusCharsMax &&
    STATUSES.test(text) &&
    rangesOf(text).every(([from, to]) => from <= to)
  )
}

function rangesOf(status: string): (readonly [from: number, to: number])[] {
  return status.split(',').map((range) => {
    const [from, to = from] = range.split('-')
    return [Number(from), Number(to)]
  })
}

/** Whether an HTTP status is a success under the accepted ones of a checked probe, default `200-299`. */
export function acceptsStatus(accepted: Probe['status'], status: number): boolean {
  return rangesOf(String(accepted ?? DEFAULT_STATUS)).some(([from, to]) => from <= status && status <= to)
}

/** Whether two instances are asked the same question. The order of fields and headers does not matter. */
export function sameProbe(a: Probe | undefined, b: Probe | undefined): boolean {
  return a === b || canonical(a) === canonical(b)
}

function canonical(probe: Probe | undefined): string {
  if (probe === undefined) return ''
  const { type, port, path, status, headers = {}, serviceName, tls } = probe
  const { insecure, serverName } = typeof tls === 'object' ? tls : {}
  const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    type,
    port,
    path,
    status,
    sorted,
    serviceName,
    tls !== undefined && tls !== false,
    insecure,
    serverName,
  ])
}
