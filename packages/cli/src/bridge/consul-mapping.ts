/** Instances as Consul lists and takes them. Pure. Names, tags and weights are mapped as the adapter for its clients does. */
import { DEFAULTS, escapeName, hostFault, NAME_PATTERN, readName } from '@rollcall/wire'
import { isObject, listIn, portOf, textOf, textsOf, type Json } from './json.js'
import { marked, readMark, unmarked } from './mark.js'
import type { MirroredInstance, SeenInstance, SeenStanding } from './records.js'

/** Consul's own service, which is no application. */
export const CONSUL_SERVICE = 'consul'

/** Where other protocols read the tags of Consul. */
const TAGS_KEY = 'consul-tags'

/** Names of `GET /v1/catalog/services`; undefined for what is no such list. */
export function readServiceNames(document: unknown): readonly string[] | undefined {
  if (!isObject(document) || !Object.values(document).every(Array.isArray)) return undefined
  return Object.keys(document).filter((name) => name !== CONSUL_SERVICE)
}

/** Instances of `GET /v1/health/service/NAME`, each undefined where no other registry can hold it. */
export function readEntries(document: unknown): readonly (SeenInstance | undefined)[] {
  return listIn(document).map((entry) => (isObject(entry) ? readEntry(entry) : undefined))
}

function readEntry({ Node: node, Service: entry, Checks: checks }: Json): SeenInstance | undefined {
  if (!isObject(entry)) return undefined
  // Proxies and gateways of the mesh are no endpoints of the service.
  if (textOf(entry['Kind']) !== undefined) return undefined
  const id = textOf(entry['ID'])
  const service = escapeName(textOf(entry['Service']) ?? '')
  const host = textOf(entry['Address']) ?? (isObject(node) ? textOf(node['Address']) : undefined)
  const port = portOf(entry['Port'])
  if (id === undefined || service === undefined || port === undefined) return undefined
  if (host === undefined || hostFault(host) !== undefined) return undefined
  const meta = textsOf(entry['Meta'])
  const { zone, ...metadata } = unmarked(meta)
  const mark = readMark(meta)
  const tags = listIn(entry['Tags']).filter((tag) => typeof tag === 'string')
  const weights = entry['Weights']
  const weight = isObject(weights) ? weights['Passing'] : undefined
  return {
    // Ids are unique on one agent only.
    id: isObject(node) && mark === undefined ? `${textOf(node['Node']) ?? ''}/${id}` : id,
    service,
    host,
    port,
    ...(zone !== undefined && NAME_PATTERN.test(zone) ? { zone } : {}),
    // One is what Consul says where nothing was given.
    ...(typeof weight === 'number' && Number.isInteger(weight) && weight > 1 && weight <= 65_535
      ? { weight }
      : {}),
    ...(tags.length === 0 ? {} : { tags }),
    metadata,
    standing: standingOf(listIn(checks)),
    ...(mark === undefined ? {} : { mark }),
  }
}

/** Maintenance is the word of an operator; other critical checks are what Consul found out. */
function standingOf(checks: readonly unknown[]): SeenStanding {
  const critical = checks.filter(isObject).filter((check) => check['Status'] === 'critical')
  if (critical.length === 0) return 'up'
  return critical.some((check) => /^_(service|node)_maintenance/.test(String(check['CheckID'])))
    ? 'out'
    : 'lost'
}

/** A TTL that outlives two rounds of renewals, and Consul's shortest time until it removes what is critical. */
const TTL = '60s'
const REMOVED_AFTER = '1m'

const META_MAX = 64

/** The definition of a mirror. What Consul's rules of metadata leave out is left out. */
export function writeDefinition(mirror: MirroredInstance): Json {
  const { id, service, group, host, port, zone, weight = DEFAULTS.weight, metadata } = mirror
  const given = metadata[TAGS_KEY]?.split(',') ?? []
  const tags = [...(group === undefined || group === DEFAULTS.group ? [] : [group]), ...given]
  const meta = Object.entries({ ...(zone === undefined ? {} : { zone }), ...metadata }).filter(
    ([key, value]) => /^(?!consul-)[A-Za-z0-9_-]{1,128}$/.test(key) && value.length <= 512,
  )
  const share = weight === DEFAULTS.weight ? 1 : Math.max(1, weight)
  return {
    ID: id,
    Name: readName(service),
    Address: host,
    Port: port,
    Tags: tags,
    Meta: marked({ ...mirror, metadata: Object.fromEntries(meta.slice(0, META_MAX - 1)) }),
    Weights: { Passing: share, Warning: share },
    Check: {
      CheckID: `service:${id}`,
      Name: 'Rollcall bridge',
      TTL,
      Status: 'passing',
      DeregisterCriticalServiceAfter: REMOVED_AFTER,
    },
  }
}

/** What of the tags is told where a registry has metadata only. */
export function tagsAsMetadata(tags: readonly string[] | undefined): Readonly<Record<string, string>> {
  return tags === undefined || tags.length === 0 ? {} : { [TAGS_KEY]: tags.join(',') }
}
