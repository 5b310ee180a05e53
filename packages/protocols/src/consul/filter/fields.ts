/** What can be filtered by: the fields of the lists, as Consul's own. */

/** A field: one value, a list of texts, a map of texts, members, or a list of members, of which any may match. */
export type FilterField =
  | 'text'
  | 'number'
  | 'bool'
  | 'texts'
  | 'map'
  | { readonly members: Readonly<Record<string, FilterField>> }
  | { readonly any: Readonly<Record<string, FilterField>> }

const WEIGHTS: FilterField = { members: { Passing: 'number', Warning: 'number' } }

const NODE: Readonly<Record<string, FilterField>> = {
  ID: 'text',
  Node: 'text',
  Address: 'text',
  Datacenter: 'text',
  TaggedAddresses: 'map',
  Meta: 'map',
}

const SERVICE: Readonly<Record<string, FilterField>> = {
  Kind: 'text',
  ID: 'text',
  Service: 'text',
  Tags: 'texts',
  Address: 'text',
  Meta: 'map',
  Port: 'number',
  Weights: WEIGHTS,
  EnableTagOverride: 'bool',
  PeerName: 'text',
}

const CHECK: Readonly<Record<string, FilterField>> = {
  Node: 'text',
  CheckID: 'text',
  Name: 'text',
  Status: 'text',
  Notes: 'text',
  Output: 'text',
  ServiceID: 'text',
  ServiceName: 'text',
  ServiceTags: 'texts',
  Type: 'text',
  Interval: 'text',
  Timeout: 'text',
}

export type ListKind = 'health' | 'checks' | 'nodes' | 'agentServices' | 'services' | 'catalog'

/** The fields of each kind of list. */
export const LISTS: Readonly<Record<ListKind, Readonly<Record<string, FilterField>>>> = {
  health: { Node: { members: NODE }, Service: { members: SERVICE }, Checks: { any: CHECK } },
  checks: CHECK,
  nodes: NODE,
  agentServices: { ...SERVICE, Datacenter: 'text' },
  services: { ServiceName: 'text', ServiceTags: 'texts' },
  catalog: {
    ID: 'text',
    Node: 'text',
    Address: 'text',
    Datacenter: 'text',
    TaggedAddresses: 'map',
    NodeMeta: 'map',
    ServiceKind: 'text',
    ServiceID: 'text',
    ServiceName: 'text',
    ServiceTags: 'texts',
    ServiceAddress: 'text',
    ServiceWeights: WEIGHTS,
    ServiceMeta: 'map',
    ServicePort: 'number',
    ServiceEnableTagOverride: 'bool',
  },
}
