/** Instances as Eureka lists them, and as it takes them. Pure. Names are mapped as the adapter for Eureka's clients does. */
import { DEFAULTS, escapeName, hostFault, NAME_PATTERN, readName, RegistryError } from '@rollcall/wire'
import { LISTED_MAX } from './foreign-http.js'
import { isObject, listIn, portOf, textOf, textsOf, type Json } from './json.js'
import { marked, readMark, unmarked } from './mark.js'
import type { SideListing, MirroredInstance, SeenInstance, SeenStanding } from './records.js'

/** Of what a bridge registers; Eureka's own defaults. */
const RENEWAL_SECS = 30
const LEASE_SECS = 90

/** Instances of `GET apps/`. Throws `protocol` for what is no list of Eureka. */
export function readApplications(document: unknown, hint: string): SideListing {
  const applications = isObject(document) ? document['applications'] : undefined
  if (!isObject(applications)) throw new RegistryError('protocol', hint)
  const instances: SeenInstance[] = []
  let unreadable = 0
  for (const application of listIn(applications['application'])) {
    if (!isObject(application)) continue
    for (const each of listIn(application['instance'])) {
      const seen = isObject(each) ? readInstance(each) : undefined
      if (seen === undefined) unreadable++
      else instances.push(seen)
    }
    if (instances.length > LISTED_MAX)
      throw new RegistryError('protocol', `Eureka lists more than ${LISTED_MAX} instances`)
  }
  return { instances, unreadable, stale: false }
}

const STANDINGS: Readonly<Record<string, SeenStanding>> = { UP: 'up', STARTING: 'starting' }

function readInstance(json: Json): SeenInstance | undefined {
  const hosts = [textOf(json['hostName']), textOf(json['ipAddr'])].filter((each) => each !== undefined)
  const [host] = hosts.filter((each) => hostFault(each) === undefined)
  const id = textOf(json['instanceId']) ?? textOf(json['hostName'])
  const service = escapeName((textOf(json['app']) ?? '').toLowerCase())
  const endpoint = readPorts(json)
  if (host === undefined || id === undefined || service === undefined || endpoint === undefined)
    return undefined
  const metadata = textsOf(json['metadata'])
  const { '@class': _class, zone, weight, ...rest } = unmarked(metadata)
  const mark = readMark(metadata)
  const share = weight !== undefined && /^\d{1,5}$/.test(weight) ? Number(weight) : undefined
  return {
    id,
    service,
    host,
    aliases: hosts.filter((each) => each !== host),
    ...endpoint,
    ...(zone !== undefined && NAME_PATTERN.test(zone) ? { zone } : {}),
    ...(share !== undefined && share <= 65_535 ? { weight: share } : {}),
    metadata: rest,
    standing: STANDINGS[textOf(json['status']) ?? ''] ?? 'out',
    ...(mark === undefined ? {} : { mark }),
  }
}

/** Where it is called: at the secure port where that alone is enabled. */
function readPorts(json: Json): Pick<SeenInstance, 'port' | 'protocol'> | undefined {
  const [plain, secure] = [json['port'], json['securePort']].map((member) => {
    if (!isObject(member)) return { enabled: false, port: portOf(member) }
    return { enabled: String(member['@enabled']) === 'true', port: portOf(member['$']) }
  })
  const isSecure = secure?.enabled === true && plain?.enabled !== true
  const port = isSecure ? secure.port : plain?.port
  return port === undefined ? undefined : { port, protocol: isSecure ? 'https' : 'http' }
}

/** The application that a mirror belongs to. */
export function appOf({ service }: Pick<MirroredInstance, 'service'>): string {
  return readName(service).toUpperCase()
}

/**
 * The registration of a mirror. What is out is `DOWN`: Eureka's server keeps `UP` where a registration says `OUT_OF_SERVICE`.
 * `wallNow`: it keeps the registration that has the later time.
 */
export function writeInstance(mirror: MirroredInstance, wallNow: number): Json {
  const { host, port, protocol, zone, weight, standing } = mirror
  const isSecure = protocol === 'https'
  const vip = readName(mirror.service).toLowerCase()
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return {
    instance: {
      instanceId: mirror.id,
      hostName: host,
      app: appOf(mirror),
      ipAddr: host,
      status: standing === 'up' ? 'UP' : standing === 'starting' ? 'STARTING' : 'DOWN',
      overriddenStatus: 'UNKNOWN',
      port: { $: isSecure ? 80 : port, '@enabled': String(!isSecure) },
      securePort: { $: isSecure ? port : 443, '@enabled': String(isSecure) },
      countryId: 1,
      dataCenterInfo: {
        '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
        name: 'MyOwn',
      },
      leaseInfo: { renewalIntervalInSecs: RENEWAL_SECS, durationInSecs: LEASE_SECS },
      metadata: {
        ...(zone === undefined ? {} : { zone }),
        ...(weight === undefined || weight === DEFAULTS.weight ? {} : { weight: String(weight) }),
        ...marked(mirror),
      },
      homePageUrl: `${isSecure ? 'https' : 'http'}://${authority}/`,
      vipAddress: vip,
      secureVipAddress: vip,
      isCoordinatingDiscoveryServer: 'false',
      lastUpdatedTimestamp: String(wallNow),
      lastDirtyTimestamp: String(wallNow),
    },
  }
}
