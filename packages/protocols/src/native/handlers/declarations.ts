/** Declarations of services and namespaces over HTTP. */
import { readNamespaceSettings, readServiceSettings } from '@rollcall/wire/schemas'
import { RegistryError } from '@rollcall/wire'
import { viewNameOf } from '../queries.js'
import type { HandlerDeps, Handlers } from './deps.js'
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
export function createDeclarations(deps: HandlerDeps): Handlers<Declarations> {
  const { registry } = deps
  return {
    declareService(exchange, parameters) {
      const { namespace, service } = viewNameOf(parameters)
      exchange.body(async (body) => {
        const { value, warnings } = readServiceSettings(body)
        const durability = await registry.declare(namespace, service, value)
        exchange.json(200, warnings === undefined ? { durability } : { durability, warnings })
      })
    },
    async undeclareService(exchange, parameters) {
      const { namespace, service } = viewNameOf(parameters)
      if (!(await registry.undeclare(namespace, service))) throw undeclared(namespace, service)
      exchange.json(200, { removed: true })
    },
    getServiceSettings(exchange, parameters) {
      const { namespace, service } = viewNameOf(parameters)
      const settings = registry.settings(namespace, service)
      if (settings === undefined) throw undeclared(namespace, service)
      exchange.json(200, settings)
    },
    listNamespaces(exchange) {
      requireLoaded(registry)
      exchange.json(200, { namespaces: registry.namespaces() })
    },
    getNamespace(exchange, { namespace }) {
      exchange.json(200, registry.namespaceSettings(namespace) ?? {})
    },
    declareNamespace(exchange, { namespace }) {
      exchange.body(async (body) => {
        const { value, warnings } = readNamespaceSettings(body)
        const durability = await registry.declareNamespace(namespace, value)
        exchange.json(200, warnings === undefined ? { durability } : { durability, warnings })
      })
    },
    async undeclareNamespace(exchange, { namespace }) {
      exchange.json(200, { removed: await registry.undeclareNamespace(namespace) })
    },
  }
}

function undeclared(namespace: string, service: string): RegistryError {
  return new RegistryError('unknown_service', `${service} is not declared in namespace ${namespace}`)
}
