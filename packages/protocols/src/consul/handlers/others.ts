/** What is small, and what is refused in words: neither mesh nor rights nor locks are Rollcall's. */
import { refusal } from '../errors.js'
import { type Call, type ConsulHandler, type ConsulHandlerDeps, type HandlerRoutes } from './deps.js'

const NO_CONNECT = 'Connect must be enabled in order to use this endpoint'
const NO_ACL = 'ACL support disabled'

/** Real servers without ACLs or Connect say the same. */
const REFUSED: Readonly<Record<string, readonly [status: number, words: string]>> = {
  '/v1/acl/*': [401, NO_ACL],
  '/v1/connect/*': [500, NO_CONNECT],
  '/v1/agent/connect/*': [500, NO_CONNECT],
  '/v1/health/connect/*': [500, NO_CONNECT],
  '/v1/health/ingress/*': [500, NO_CONNECT],
  '/v1/catalog/connect/*': [500, NO_CONNECT],
  '/v1/catalog/gateway-services/*': [500, NO_CONNECT],
  '/v1/discovery-chain/*': [500, NO_CONNECT],
  '/v1/internal/*': [501, 'Rollcall has no internal endpoints of Consul'],
  '/v1/intentions': [500, NO_CONNECT],
  '/v1/config': [501, 'Rollcall has no config entries of Consul'],
  '/v1/config/*': [501, 'Rollcall has no config entries of Consul'],
  '/v1/session/*': [501, 'Rollcall has no sessions of Consul: nothing can be locked'],
  '/v1/query': [501, 'Rollcall has no prepared queries of Consul'],
  '/v1/query/*': [501, 'Rollcall has no prepared queries of Consul'],
  '/v1/txn': [501, 'Rollcall has no transactions of Consul'],
  '/v1/event/fire/*': [501, 'Rollcall has no events of Consul'],
  '/v1/operator/*': [501, 'Rollcall is operated by its own API'],
  '/v1/snapshot': [501, 'Rollcall is backed up by its own command: rollcall journal backup'],
  '/v1/peering': [501, 'Rollcall has no peerings of Consul'],
  '/v1/peering/*': [501, 'Rollcall has no peerings of Consul'],
  '/v1/agent/join/*': [501, 'Nodes of Rollcall join by its own settings'],
  '/v1/agent/leave': [501, 'Nodes of Rollcall leave by being stopped'],
  '/v1/agent/force-leave/*': [501, 'Nodes of Rollcall leave by being stopped'],
  '/v1/agent/reload': [501, 'Rollcall reads its configuration when it starts'],
  '/v1/agent/token/*': [401, NO_ACL],
  '/v1/catalog/register': [
    501,
    'Rollcall has no nodes of others: register the service with PUT /v1/agent/service/register',
  ],
  '/v1/catalog/deregister': [501, 'Rollcall has no nodes of others: use PUT /v1/agent/service/deregister/ID'],
}

export function createOthers(deps: ConsulHandlerDeps): HandlerRoutes {
  const leader = (): string => {
    const { address } = deps.node()
    return `${address.includes(':') ? `[${address}]` : address}:8300`
  }
  const nothing: ConsulHandler = ({ exchange }) => exchange.json(200, [])
  const refused = Object.entries(REFUSED).map(([path, [status, words]]) => {
    const refuse = (_call: Call): never => {
      throw refusal(status, words)
    }
    return [path, { GET: refuse, PUT: refuse, POST: refuse, DELETE: refuse }] as const
  })
  return {
    ...Object.fromEntries(refused),
    '/v1/status/leader': { GET: ({ exchange }) => exchange.json(200, leader()) },
    '/v1/status/peers': { GET: ({ exchange }) => exchange.json(200, [leader()]) },
    '/v1/event/list': { GET: nothing },
    '/v1/session/list': { GET: nothing },
    '/v1/coordinate/datacenters': { GET: nothing },
    '/v1/coordinate/nodes': { GET: nothing },
  }
}
