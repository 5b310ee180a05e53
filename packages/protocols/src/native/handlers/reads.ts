/** What is read by name and answered as it is: instances, settings, and what operators ask. */
import { DEFAULTS } from '@rollcall/wire'
import { readSigns } from '@rollcall/wire/schemas'
import { toSignItems } from '../mapping.js'
import { instanceKeyOf, viewNameOf } from '../queries.js'
import { requireLoaded } from '../../http/loaded.js'
import { readBody, type HandlerDeps, type Handlers } from './deps.js'
import { undeclared, unknownInstance, unknownService } from './unknown.js'

type Reads =
  | 'getInstance'
  | 'compareSigns'
  | 'getServiceSettings'
  | 'listNamespaces'
  | 'getNamespace'
  | 'listFreezes'
  | 'listOverrides'
  | 'listSubscribers'
  | 'explain'

/** Handlers of these routes. */
export function createReads({ registry, node, options }: HandlerDeps): Handlers<Reads> {
  return {
    getInstance(exchange, parameters) {
      requireLoaded(node)
      const read = registry.read(exchange.caller)
      const key = instanceKeyOf(parameters)
      const instance = read.instance(key)
      if (instance === undefined) throw unknownInstance(read, key)
      exchange.json(200, instance)
    },
    compareSigns(exchange, parameters) {
      readBody(exchange, parameters, (body) => {
        requireLoaded(node)
        const { value, warnings } = readSigns(body, options.limits.batchItemsMax)
        const items = toSignItems(value.services, value.namespace ?? DEFAULTS.namespace)
        const answer = registry.read(exchange.caller).compareSigns(items)
        exchange.json(200, warnings === undefined ? answer : { ...answer, warnings })
      })
    },
    getServiceSettings(exchange, parameters) {
      const { namespace, service } = viewNameOf(parameters)
      const settings = registry.read(exchange.caller).serviceSettings(namespace, service)
      if (settings === undefined) throw undeclared(namespace, service)
      exchange.json(200, settings)
    },
    listNamespaces(exchange, parameters) {
      requireLoaded(node)
      exchange.json(200, registry.read(exchange.caller).namespaces(parameters))
    },
    getNamespace(exchange, { namespace }) {
      exchange.json(200, registry.read(exchange.caller).namespaceSettings(namespace) ?? {})
    },
    listFreezes(exchange) {
      requireLoaded(node)
      exchange.json(200, { freezes: registry.read(exchange.caller).freezes() })
    },
    listOverrides(exchange, parameters) {
      requireLoaded(node)
      exchange.json(200, registry.read(exchange.caller).overrides(parameters))
    },
    listSubscribers(exchange, parameters) {
      requireLoaded(node)
      const name = viewNameOf(parameters)
      const read = registry.read(exchange.caller)
      const answer = read.audience(name, parameters)
      if (answer === undefined) throw unknownService(read, name)
      const { elsewhere } = node
      if (elsewhere?.hasNodes !== true) return exchange.json(200, answer)
      const asked = { again: parameters.seq !== undefined, published: () => read.publishedAt([name]) }
      return elsewhere.audience(name, answer, asked).then((all) => exchange.json(200, all))
    },
    explain(exchange, parameters) {
      requireLoaded(node)
      const read = registry.read(exchange.caller)
      const key = instanceKeyOf(parameters)
      const explanation = read.explain(key)
      if (explanation === undefined) throw unknownInstance(read, key)
      const { elsewhere } = node
      if (elsewhere?.hasNodes !== true) return exchange.json(200, explanation)
      return elsewhere.explain(key, explanation).then((all) => exchange.json(200, all))
    },
  }
}
