/**
 * What a client says of itself, from the tree that its JSON or XML is. Lenient where Eureka's own server is: numbers as texts,
 * absent members, words of no meaning. Pure.
 */
import { defined, RegistryError } from '@rollcall/wire'
import {
  type DataCenter,
  NAME_MEMBERS,
  type PortMember,
  type Said,
  type Texts,
  URL_MEMBERS,
} from './messages.js'
import { readStatus } from './statuses.js'

/** Eureka's own defaults for what is not said. */
const PORT: PortMember = { number: 7_001, enabled: true }
const SECURE_PORT: PortMember = { number: 7_002, enabled: false }
const RENEWAL_SECS = 30
const DURATION_SECS = 90

type Tree = Readonly<Record<string, unknown>>

/** Throws `malformed` for a tree that is no instance. */
export function readSaid(value: unknown): Said {
  const tree = treeOf(value, 'instance')
  const lease = optionalTree(tree['leaseInfo'], 'leaseInfo') ?? {}
  const dataCenter = optionalTree(tree['dataCenterInfo'], 'dataCenterInfo')
  return {
    ...defined({
      instanceId: text(tree, 'instanceId'),
      app: text(tree, 'app'),
      hostName: text(tree, 'hostName'),
      ipAddr: text(tree, 'ipAddr'),
      dataCenter: dataCenter === undefined ? undefined : readDataCenter(dataCenter),
      lastDirty: time(tree, 'lastDirtyTimestamp'),
      lastUpdated: time(tree, 'lastUpdatedTimestamp'),
    }),
    status: readStatus(tree['status']),
    // Eureka itself writes it in two ways.
    overriddenStatus: readStatus(tree['overriddenStatus'] ?? tree['overriddenstatus']),
    port: readPort(tree['port'], 'port', PORT),
    securePort: readPort(tree['securePort'], 'securePort', SECURE_PORT),
    countryId: integer(tree, 'countryId') ?? 1,
    renewalSecs: integer(lease, 'renewalIntervalInSecs') ?? RENEWAL_SECS,
    durationSecs: integer(lease, 'durationInSecs') ?? DURATION_SECS,
    registeredAt: time(lease, 'registrationTimestamp') ?? 0,
    upAt: time(lease, 'serviceUpTimestamp') ?? 0,
    metadata: readPairs(tree['metadata'], 'metadata'),
    texts: readTexts(tree),
    isCoordinating: isTrue(tree['isCoordinatingDiscoveryServer']),
  }
}

/** Why nothing can be made of a body. */
export function unreadable(why: string): RegistryError {
  return new RegistryError('malformed', why)
}

function treeOf(value: unknown, name: string): Tree {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable(`${name} is no object`)
  return value as Tree
}

function optionalTree(value: unknown, name: string): Tree | undefined {
  return value === undefined || value === null ? undefined : treeOf(value, name)
}

function text(tree: Tree, name: string): string | undefined {
  const value = tree[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw unreadable(`${name} is no text`)
}

function number(tree: Tree, name: string): number | undefined {
  const said = text(tree, name)
  if (said === undefined || said.trim() === '') return undefined
  const value = Number(said)
  if (!Number.isSafeInteger(value)) throw unreadable(`${name} is no number`)
  return value
}

/** A number that is an `int` to clients of Java: one beyond costs them the whole list. */
function integer(tree: Tree, name: string): number | undefined {
  const value = number(tree, name)
  if (value !== undefined && value !== (value | 0)) throw unreadable(`${name} is too large`)
  return value
}

/** Zero and less mean that it was not said. */
function time(tree: Tree, name: string): number | undefined {
  const value = number(tree, name)
  return value === undefined || value <= 0 ? undefined : value
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}

function readPort(value: unknown, name: string, absent: PortMember): PortMember {
  const tree = optionalTree(value, name)
  if (tree === undefined) return absent
  const port = number(tree, '$') ?? absent.number
  if (port < 0 || port > 65_535) throw unreadable(`${name} is no port`)
  const enabled = tree['@enabled']
  return { number: port, enabled: enabled === undefined ? absent.enabled : isTrue(enabled) }
}

/** To clients of Java names of data centres are an enumeration: any other costs them the whole list. */
const DATA_CENTERS: ReadonlySet<string> = new Set(['Netflix', 'Amazon', 'MyOwn', ''])

function readDataCenter(tree: Tree): DataCenter {
  const name = text(tree, 'name')
  if (name !== undefined && !DATA_CENTERS.has(name)) throw unreadable('dataCenterInfo.name is none of Eureka')
  const metadata = readPairs(tree['metadata'], 'dataCenterInfo.metadata')
  return {
    ...defined({ className: text(tree, '@class'), name }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  }
}

/** Names of classes are Java's, and `__proto__` is no name of a member. */
const NO_PAIRS: ReadonlySet<string> = new Set(['@class', 'class', '__proto__'])

function readPairs(value: unknown, name: string): Readonly<Record<string, string>> {
  const tree = optionalTree(value, name) ?? {}
  const pairs: Record<string, string> = {}
  for (const key of Object.keys(tree)) {
    const said = NO_PAIRS.has(key) ? undefined : text(tree, key)
    if (said !== undefined) pairs[key] = said
  }
  return pairs
}

const TEXT_MEMBERS = [...URL_MEMBERS, ...NAME_MEMBERS]

function readTexts(tree: Tree): Texts {
  const texts: { -readonly [K in keyof Texts]: Texts[K] } = {}
  for (const name of TEXT_MEMBERS) {
    const said = text(tree, name)
    if (said !== undefined) texts[name] = said
  }
  return texts
}
