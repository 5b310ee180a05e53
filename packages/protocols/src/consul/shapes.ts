/** What Consul's clients read, in its own spelling: Go's decoder fails on what is missing or of another type. Pure. */
import type { CheckDefinition } from './definitions.js'
import { formatDuration } from './durations.js'
import type { ShownCheck, ShownService } from './mapping.js'

/** The one node that all of the registry looks like. */
export interface ConsulNode {
  /** A UUID, the same for all nodes of a cluster and after each restart. */
  readonly id: string
  readonly name: string
  readonly address: string
  readonly datacenter: string
  readonly version: string
}

/** Index of what has been there since the beginning. */
const FIRST_INDEX = 1

export function nodeShape({ id, name, address, datacenter }: ConsulNode): object {
  return {
    ID: id,
    Node: name,
    Address: address,
    Datacenter: datacenter,
    TaggedAddresses: { lan: address, wan: address },
    Meta: {},
    CreateIndex: FIRST_INDEX,
    ModifyIndex: FIRST_INDEX,
  }
}

/** The check that says that the node itself is there; without it clients take its services for gone. */
export function serfHealth(node: ConsulNode): object {
  return checkRow(node.name, undefined, {
    id: 'serfHealth',
    name: 'Serf Health Status',
    status: 'passing',
    notes: '',
    output: 'Agent alive and reachable',
    type: '',
  })
}

export function checkShape(node: ConsulNode, service: ShownService, check: ShownCheck): object {
  return checkRow(node.name, service, check)
}

function checkRow(node: string, service: ShownService | undefined, check: ShownCheck): object {
  return {
    Node: node,
    CheckID: check.id,
    Name: check.name,
    Status: check.status,
    Notes: check.notes,
    Output: check.output,
    ServiceID: service?.id ?? '',
    ServiceName: service?.name ?? '',
    ServiceTags: service?.tags ?? [],
    Type: check.type,
    Interval: formatDuration(check.intervalMs),
    Timeout: formatDuration(check.timeoutMs),
    ExposedPort: 0,
    // An empty duration in here is one that Go's client cannot read.
    Definition: {},
    CreateIndex: service?.createIndex ?? FIRST_INDEX,
    ModifyIndex: service?.modifyIndex ?? FIRST_INDEX,
  }
}

/** The service in `health/service` and `catalog/node`. */
export function serviceShape(service: ShownService): object {
  return {
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Address: service.address,
    TaggedAddresses: service.taggedAddresses,
    Meta: service.meta,
    Port: service.port,
    Weights: service.weights,
    EnableTagOverride: service.enableTagOverride,
    Proxy: {},
    Connect: {},
    PeerName: '',
    CreateIndex: service.createIndex,
    ModifyIndex: service.modifyIndex,
  }
}

export function healthShape(node: ConsulNode, service: ShownService): object {
  return {
    Node: nodeShape(node),
    Service: serviceShape(service),
    Checks: [...service.checks.map((check) => checkShape(node, service, check)), serfHealth(node)],
  }
}

export function catalogShape(node: ConsulNode, service: ShownService): object {
  return {
    ID: node.id,
    Node: node.name,
    Address: node.address,
    Datacenter: node.datacenter,
    TaggedAddresses: { lan: node.address, wan: node.address },
    NodeMeta: {},
    ServiceKind: '',
    ServiceID: service.id,
    ServiceName: service.name,
    ServiceTags: service.tags,
    ServiceAddress: service.address,
    ServiceTaggedAddresses: service.taggedAddresses,
    ServiceWeights: service.weights,
    ServiceMeta: service.meta,
    ServicePort: service.port,
    ServiceSocketPath: '',
    ServiceEnableTagOverride: service.enableTagOverride,
    ServiceProxy: {},
    ServiceConnect: {},
    CreateIndex: service.createIndex,
    ModifyIndex: service.modifyIndex,
  }
}

/** The service in `agent/services`. */
export function agentServiceShape(node: ConsulNode, service: ShownService): object {
  return {
    ID: service.id,
    Service: service.name,
    Tags: service.tags,
    Meta: service.meta,
    Port: service.port,
    Address: service.address,
    TaggedAddresses: service.taggedAddresses,
    Weights: service.weights,
    EnableTagOverride: service.enableTagOverride,
    Datacenter: node.datacenter,
  }
}

/** What every Consul server lists of itself; clients pass it over by its name. */
export const OWN_SERVICE: ShownService = {
  id: 'consul',
  name: 'consul',
  tags: [],
  meta: {},
  address: '',
  port: 8_300,
  taggedAddresses: {},
  enableTagOverride: false,
  weights: { Passing: 1, Warning: 1 },
  checks: [],
  createIndex: FIRST_INDEX,
  modifyIndex: FIRST_INDEX,
}

/** Every value is an object: Go's clients read them as such. */
export function selfShape(node: ConsulNode): object {
  const { id, name, address, datacenter, version } = node
  return {
    Config: {
      Datacenter: datacenter,
      PrimaryDatacenter: datacenter,
      NodeName: name,
      NodeID: id,
      Revision: '',
      Server: true,
      Version: version,
      BuildDate: '1970-01-01T00:00:00Z',
    },
    DebugConfig: {},
    Coord: {},
    Member: memberShape(node),
    Stats: { agent: {}, consul: { server: 'true', leader: 'true', leader_addr: `${address}:8300` } },
    Meta: {},
  }
}

export function memberShape({ id, name, address, datacenter, version }: ConsulNode): object {
  return {
    Name: name,
    Addr: address,
    Port: 8_301,
    Tags: { role: 'consul', dc: datacenter, id, build: version, port: '8300' },
    Status: 1,
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  }
}

/** What the aggregate of an instance is called: maintenance comes before everything. */
export function aggregateOf({ checks }: ShownService): 'maintenance' | CheckDefinition['status'] {
  if (checks.some(({ type }) => type === 'maintenance')) return 'maintenance'
  if (checks.some(({ status }) => status === 'critical')) return 'critical'
  return checks.some(({ status }) => status === 'warning') ? 'warning' : 'passing'
}
