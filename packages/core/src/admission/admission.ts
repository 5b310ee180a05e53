/** Who may register what: limits of names and sizes, then allow lists and declarations, in a fixed order. */
import {
  DECLARATION_LIMITS,
  type ErrorBody,
  errorBody,
  hostFault,
  ID_PATTERN,
  ID_WORDS,
  isAllowed,
  isAllowEntry,
  type Limits,
  LIMITS,
  NAME_PATTERN,
  NAME_WORDS,
  type NamespaceSettings,
  REV_MAX,
  type ServiceSettings,
} from '@rollcall/wire'
import type { RegisterCommand } from '../commands.js'
import { checkProbe, PROBE_RULES, type ProbeRules } from './probe.js'
import { type Foreign, FOREIGN_BYTES_MAX, type InstanceKey } from '../records/record.js'

/** What is refused: a closed registry admits only what an operator declared. */
export type AdmissionMode = 'open' | 'strict'

type CommandLimits = Pick<
  Limits,
  'metadataBytesMax' | 'metadataKeysMax' | 'leaseMsMin' | 'leaseMsMax' | 'weightMax'
>

function invalid(field: string, message: string): ErrorBody {
  return errorBody('invalid_argument', `${field} ${message}`, field)
}

/** Checks names; undefined when they are fine. */
export function checkKey(key: InstanceKey): ErrorBody | undefined {
  if (!NAME_PATTERN.test(key.namespace)) return invalid('namespace', `must be ${NAME_WORDS}`)
  if (!NAME_PATTERN.test(key.service)) return invalid('service', `must be ${NAME_WORDS}`)
  if (!NAME_PATTERN.test(key.group)) return invalid('group', `must be ${NAME_WORDS}`)
  if (!ID_PATTERN.test(key.id)) return invalid('id', `must be ${ID_WORDS}`)
  return undefined
}

function isInteger(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

/** Checks everything about a registration by itself. `peer`, where it comes from, is at most suggested. */
export function checkCommand(
  command: RegisterCommand,
  limits: CommandLimits = LIMITS,
  peer?: string,
  probes: ProbeRules = PROBE_RULES,
): ErrorBody | undefined {
  const { protocol, zone, probe, incarnation, rev } = command
  // Before the key: the default id is made of the host, and no caller should be told of an id that it never gave.
  const badHost = hostFault(command.host, peer)
  if (badHost !== undefined) return errorBody('invalid_argument', badHost, 'host')
  const badKey = checkKey(command)
  if (badKey !== undefined) return badKey
  if (!isInteger(command.port, 1, 65_535)) return invalid('port', 'must be an integer from 1 to 65535')
  if (!isInteger(command.weight, 0, limits.weightMax)) {
    return invalid('weight', `must be an integer from 0 to ${limits.weightMax}`)
  }
  if (protocol !== undefined && !NAME_PATTERN.test(protocol))
    return invalid('protocol', `must be ${NAME_WORDS}`)
  if (zone !== undefined && !NAME_PATTERN.test(zone)) return invalid('zone', `must be ${NAME_WORDS}`)
  if (!isInteger(command.leaseMs, limits.leaseMsMin, limits.leaseMsMax)) {
    return invalid('leaseMs', `must be an integer from ${limits.leaseMsMin} to ${limits.leaseMsMax}`)
  }
  if (incarnation !== undefined && !isInteger(incarnation, 0, Number.MAX_SAFE_INTEGER)) {
    return invalid('incarnation', 'must be a non-negative safe integer')
  }
  if (rev !== undefined && !isInteger(rev, 0, REV_MAX)) {
    return invalid('rev', `must be an integer from 0 to ${REV_MAX}`)
  }
  const badProbe = probe === undefined ? undefined : checkProbe(probe, command.port, probes)
  if (badProbe !== undefined) return badProbe
  if (probe?.type === 'none' && command.liveness === 'probe') {
    return invalid(
      'probe.type',
      'must not be none where liveness is probe: nothing would speak for the instance',
    )
  }
  return checkMetadata(command.metadata, limits) ?? checkForeign(command.foreign)
}

function checkForeign(foreign: Foreign | undefined): ErrorBody | undefined {
  if (foreign === undefined) return undefined
  if (!NAME_PATTERN.test(foreign.protocol)) return invalid('foreign.protocol', `must be ${NAME_WORDS}`)
  return utf8Length(foreign.document) > FOREIGN_BYTES_MAX
    ? invalid('foreign.document', `must have at most ${FOREIGN_BYTES_MAX} bytes`)
    : undefined
}

function checkMetadata(
  metadata: Readonly<Record<string, string>>,
  limits: Pick<Limits, 'metadataBytesMax' | 'metadataKeysMax'>,
): ErrorBody | undefined {
  let keys = 0
  let bytes = 0
  for (const key in metadata) {
    keys++
    bytes += utf8Length(key) + utf8Length(metadata[key] as string)
    if (key.length === 0) return invalid('metadata', 'must not have an empty key')
  }
  if (keys > limits.metadataKeysMax)
    return invalid('metadata', `must have at most ${limits.metadataKeysMax} keys`)
  if (bytes > limits.metadataBytesMax) {
    return invalid('metadata', `must have at most ${limits.metadataBytesMax} bytes, keys and values together`)
  }
  return undefined
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code >= 0x800) bytes += code >= 0xd800 && code < 0xe000 ? 1 : 2
    else if (code >= 0x80) bytes += 1
  }
  return bytes
}

/** What admission depends on beside the command. */
export interface AdmissionContext {
  readonly mode: AdmissionMode
  readonly namespace: NamespaceSettings | undefined
  readonly service: ServiceSettings | undefined
}

/**
 * In this order: the namespace's allow list, service declared, group declared (both only where admission is
 * strict), the service's own narrower list. Lists are held against the registered host.
 */
export function admit(command: RegisterCommand, context: AdmissionContext): ErrorBody | undefined {
  const { namespace, service, mode } = context
  if (namespace?.allow !== undefined && !isAllowed(command.host, namespace.allow)) {
    return errorBody(
      'namespace_not_allowed',
      `${command.host} may not register in namespace ${command.namespace}`,
      'host',
    )
  }
  if (mode === 'strict') {
    if (service === undefined) {
      return errorBody('service_not_declared', `service ${command.service} is not declared`, 'service')
    }
    const groups = service.groups ?? ['default']
    if (!groups.includes(command.group)) {
      return errorBody(
        'group_not_declared',
        `group ${command.group} of service ${command.service} is not declared`,
        'group',
      )
    }
  }
  if (service?.allow !== undefined && !isAllowed(command.host, service.allow)) {
    return errorBody(
      'service_not_allowed',
      `${command.host} may not register for service ${command.service}`,
      'host',
    )
  }
  return undefined
}

/** Checks a declaration of a service. */
export function checkSettings(
  settings: ServiceSettings,
  limits: CommandLimits = LIMITS,
): ErrorBody | undefined {
  const { groups, removalMs, breaker } = settings
  const { groupsMax, removalMsMin, removalMsMax } = DECLARATION_LIMITS
  if (
    groups !== undefined &&
    (groups.length > groupsMax || !groups.every((group) => NAME_PATTERN.test(group)))
  ) {
    return invalid(
      'groups',
      `must be at most ${groupsMax} names, each 1 to 128 of A-Z a-z 0-9 . _ -, not dots alone`,
    )
  }
  if (removalMs !== undefined && !isInteger(removalMs, removalMsMin, removalMsMax)) {
    return invalid('removalMs', `must be an integer from ${removalMsMin} to ${removalMsMax}`)
  }
  const share = breaker?.share
  if (share !== undefined && !(share >= 0 && share <= 1))
    return invalid('breaker.share', 'must be a number from 0 to 1')
  return (
    checkAllow(settings) ??
    (settings.metadata === undefined ? undefined : checkMetadata(settings.metadata, limits))
  )
}

/** Checks an allow list. */
export function checkAllow(settings: NamespaceSettings): ErrorBody | undefined {
  const { allow } = settings
  const { allowMax } = DECLARATION_LIMITS
  if (allow === undefined) return undefined
  if (allow.length > allowMax) return invalid('allow', `must have at most ${allowMax} entries`)
  const bad = allow.findIndex((entry) => !isAllowEntry(entry))
  return bad < 0 ? undefined : invalid(`allow[${bad}]`, 'must be an address, a CIDR block or a host name')
}
