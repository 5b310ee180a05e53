/** Declarations of services and namespaces over HTTP. */
import { readNamespaceSettings, readServiceSettings } from '@rollcall/wire/schemas'
import { RegistryError } from '@rollcall/wire'
import type { Exchange } from '../../http/exchange.js'
import { checkName } from '../mapping.js'
import { namespaceOf } from '../queries.js'
import type { Handler, HandlerDeps } from './deps.js'
import { requireLoaded } from './operations.js'

type Declarations =
  | 'declareService'
  | 'undeclareService'
  | 'getServiceSettings'
  | 'listNamespaces'
  | 'getNamespace'
  | 'declareNamespace'
  | 'undeclareNamespace'

/** Handlers of the routes about declarations. */
export function createDeclarations(deps: HandlerDeps): Readonly<Record<Declarations, Handler>> {
  const { registry } = deps
  const target = (exchange: Exchange): [string, string] => [
    checkName(namespaceOf(exchange.query), 'namespace'),
    checkName(exchange.param('service'), 'service'),
  ]
  const namespaceIn = (exchange: Exchange): string => checkName(exchange.param('namespace'), 'namespace')
  return {
    declareService(exchange) {
      const [namespace, service] = target(exchange)
      exchange.body(async (body) => {
        const { value, warnings } = readServiceSettings(body)
        const durability = await registry.declare(namespace, service, value)
        exchange.json(200, warnings === undefined ? { durability } : { durability, warnings })
      })
    },
    async undeclareService(exchange) {
      const [namespace, service] = target(exchange)
      if (!(await registry.undeclare(namespace, service))) throw undeclared(namespace, service)
      exchange.json(200, { removed: true })
    },
    getServiceSettings(exchange) {
      const [namespace, service] = target(exchange)
      const settings = registry.settings(namespace, service)
      if (settings === undefined) throw undeclared(namespace, service)
      exchange.json(200, settings)
    },
    listNamespaces(exchange) {
      requireLoaded(registry)
      exchange.json(200, { namespaces: registry.namespaces() })
    },
    getNamespace(exchange) {
      exchange.json(200, registry.namespaceSettings(namespaceIn(exchange)) ?? {})
    },
    declareNamespace(exchange) {
      const namespace = namespaceIn(exchange)
      exchange.body(async (body) => {
        const { value, warnings } = readNamespaceSettings(body)
        const durability = await registry.declareNamespace(namespace, value)
        exchange.json(200, warnings === undefined ? { durability } : { durability, warnings })
      })
    },
    async undeclareNamespace(exchange) {
      exchange.json(200, { removed: await registry.undeclareNamespace(namespaceIn(exchange)) })
    },
  }
}

function undeclared(namespace: string, service: string): RegistryError {
  return new RegistryError('unknown_service', `${service} is not declared in namespace ${namespace}`)
}
