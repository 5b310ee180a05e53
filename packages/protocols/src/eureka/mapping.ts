/**
 * Instances of Eureka as instances of ours, and back. Pure.
 *
 * Names: ORDERS of Eureka is the service `orders`; a service of any case is shown in upper case. Namespace and group are
 * `default`; instances of other groups are shown too. Ids stay as they are, by the escape that all adapters use.
 * Status: what the client said is the intent (`UP` up, `STARTING` starting, the others draining) and stays in the document;
 * an override of operators is `OUT_OF_SERVICE`, and the other way round; `down` is `DOWN`.
 */
import type { InstanceKey, Offer, RegisterCommand } from '@rollcall/core'
import { DEFAULTS, hostFault, NAME_PATTERN } from '@rollcall/wire'
import { escapeId, escapeName, readId, readName } from '../foreign/names.js'
import { writeDocument } from './document.js'
import type { PortMember, Said, Shown, Texts } from './messages.js'
import type { EurekaOptions } from './options.js'
import type { Status } from './statuses.js'

/** The instance of an application; undefined for names that have no place in a registry. */
export function keyOf(app: string, instanceId: string): InstanceKey | undefined {
  const service = escapeName(appName(app).toLowerCase())
  const id = escapeId(instanceId)
  if (service === undefined || id === undefined) return undefined
  return { namespace: DEFAULTS.namespace, service, group: DEFAULTS.group, id }
}

/** The name of an application as Eureka has it, of one in any case. */
export function appName(app: string): string {
  return app.toUpperCase()
}

/** The application of a service. */
export function appOf(service: string): string {
  return appName(readName(service))
}

/**
 * The id of an instance within its application: its own one, for what Eureka's clients register. Instances of other groups, and
 * of services whose names differ by case only, have it behind that name.
 */
export function instanceIdOf({ service, group, id }: InstanceKey): string {
  const isOwn = escapeName(appOf(service).toLowerCase()) === service
  return [...(isOwn ? [] : [service]), ...(group === DEFAULTS.group ? [] : [group]), readId(id)].join(':')
}

/** Whom a client is to call: by what is enabled, the secure port where that alone is. */
function endpointOf({ port, securePort }: Said): { readonly port: number; readonly protocol: string } {
  const secure = securePort.enabled && !port.enabled
  return secure ? { port: securePort.number, protocol: 'https' } : { port: port.number, protocol: 'http' }
}

type LeaseBounds = Required<Pick<EurekaOptions, 'leaseMsMin' | 'leaseMsMax'>>

/** The registration of what a client said, with everything that is to be stored. */
export function toRegisterCommand(key: InstanceKey, said: Said, bounds: LeaseBounds): RegisterCommand {
  const { hostName = '', ipAddr = '', metadata, durationSecs } = said
  const { zone } = metadata
  return {
    ...key,
    // Eureka's clients call hostName; where that is no host of ours, such as a name with blanks, the address is.
    host: hostFault(hostName) === undefined ? hostName : ipAddr,
    ...endpointOf(said),
    weight: DEFAULTS.weight,
    ...(zone !== undefined && NAME_PATTERN.test(zone) ? { zone } : {}),
    metadata,
    intent: INTENTS[said.status],
    leaseMs: Math.max(bounds.leaseMsMin, Math.min(1_000 * durationSecs, bounds.leaseMsMax)),
    liveness: 'lease',
    foreign: writeDocument(said),
  }
}

const INTENTS: Readonly<Record<Status, RegisterCommand['intent']>> = {
  UP: 'up',
  STARTING: 'starting',
  DOWN: 'draining',
  OUT_OF_SERVICE: 'draining',
  UNKNOWN: 'draining',
}

const OWN: Readonly<Record<RegisterCommand['intent'], Status>> = {
  up: 'UP',
  starting: 'STARTING',
  draining: 'OUT_OF_SERVICE',
}

/** What is shown, by the order in which Eureka's server decides: what the instance says is wrong, the override, what it says. */
export function statusesOf(
  { instance, content, override }: Offer,
  said: Pick<Said, 'status' | 'overriddenStatus'> | undefined,
): { readonly status: Status; readonly overridden: Status } {
  const { drain, disable } = override?.value ?? {}
  const isOut = drain === true || disable === true
  const overridden = isOut ? 'OUT_OF_SERVICE' : (said?.overriddenStatus ?? 'UNKNOWN')
  const own = said?.status ?? OWN[content.intent]
  if (instance.state === 'down') return { status: 'DOWN', overridden }
  const isOwn = own === 'DOWN' || own === 'STARTING' || overridden === 'UNKNOWN'
  return { status: isOwn ? own : overridden, overridden }
}

/** When something happened to an instance, as far as this node knows; milliseconds since the epoch. */
export interface ShownTimes extends Pick<Shown, 'renewedAt' | 'evictedAt' | 'lastUpdated' | 'action'> {
  /** When this node saw it for the first time: for what did not come by Eureka. */
  readonly seenAt: number
}

/** An instance as Eureka's clients see it: what one of them said, or, of any other way, what it would have said. */
export function toShown(key: InstanceKey, offer: Offer, stored: Said | undefined, times: ShownTimes): Shown {
  const { status, overridden } = statusesOf(offer, stored)
  const said = stored ?? madeUp(key, offer, times.seenAt)
  const { hostName = offer.content.host, ipAddr = offer.content.host, lastDirty = times.seenAt } = said
  return {
    ...said,
    instanceId: instanceIdOf(key),
    app: appOf(key.service),
    hostName,
    ipAddr,
    status,
    overriddenStatus: overridden,
    dataCenter: dataCenterOf(said),
    lastDirty,
    lastUpdated: times.lastUpdated,
    renewedAt: times.renewedAt,
    evictedAt: times.evictedAt,
    action: times.action,
  }
}

const OWN_DATA_CENTER = 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo'

/** Only Amazon's has metadata and a class of its own: the mapper of Spring's clients refuses the others. */
function dataCenterOf({ dataCenter = {} }: Said): NonNullable<Shown['dataCenter']> {
  if (dataCenter.name === 'Amazon' && dataCenter.metadata !== undefined)
    return { ...dataCenter, className: 'com.netflix.appinfo.AmazonInfo' }
  return { className: OWN_DATA_CENTER, name: dataCenter.name ?? 'MyOwn' }
}

/** The virtual addresses of what came by another protocol: the name of its service. */
export function vipTextsOf({ service }: Pick<InstanceKey, 'service'>): Texts {
  const vip = readName(service)
  return { vipAddress: vip, secureVipAddress: vip }
}

/** What an instance would say that came by another protocol, and is called by its host and port. */
function madeUp({ service }: InstanceKey, { instance, content }: Offer, seenAt: number): Said {
  const { host, port, protocol, zone, metadata, leaseMs } = content
  const isSecure = protocol === 'https'
  const own: PortMember = { number: port, enabled: true }
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const { weight } = instance
  return {
    status: 'UP',
    overriddenStatus: 'UNKNOWN',
    port: isSecure ? { number: 80, enabled: false } : own,
    securePort: isSecure ? own : { number: 443, enabled: false },
    countryId: 1,
    dataCenter: { name: 'MyOwn' },
    renewalSecs: 30,
    durationSecs: Math.max(1, Math.round(leaseMs / 1_000)),
    registeredAt: seenAt,
    upAt: seenAt,
    metadata: {
      ...(zone === undefined ? {} : { zone }),
      ...(weight === DEFAULTS.weight ? {} : { weight: String(weight) }),
      ...metadata,
    },
    texts: {
      homePageUrl: `${isSecure ? 'https' : 'http'}://${authority}/`,
      ...vipTextsOf({ service }),
    },
    isCoordinating: false,
  }
}
