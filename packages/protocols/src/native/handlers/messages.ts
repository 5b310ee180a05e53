/** The answer to each message of a client that gets one. What an answer throws is sent as an error. */
import type { Origin, RegistryApi, Subscription } from '@rollcall/core'
import type { ClientMessage, ServerMessage } from '@rollcall/wire'
import { readLookup, readServicesQuery, readSettled, readSigns, readWatch } from '@rollcall/wire/schemas'
import { viewKey, type Body, type ViewBodies } from '../../http/view-bodies.js'
import { toSignItems, toViewName, toWatchCommands } from '../mapping.js'
import type { ResolvedOptions } from '../options.js'
import { servicesQueryOf } from '../queries.js'
import { unknownService } from './lookups.js'
import { deregister, heartbeat, hint, register, requireLoaded, type Surroundings } from './operations.js'

/** What an answer may use of its session. */
export interface Conversation {
  readonly registry: RegistryApi
  readonly options: ResolvedOptions
  readonly origin: Origin
  /** Default namespace, from hello. */
  readonly namespace: string
  /** Keys of the watched views. Bounded by what the core lets a node watch. */
  readonly watched: Set<string>
  readonly subscribed: Subscription
  readonly views: ViewBodies
  readonly island: boolean
}

type Answered = Exclude<ClientMessage['type'], 'hello' | 'ack' | 'hint' | 'lookup'>
type Answer = (talk: Conversation, message: ClientMessage) => ServerMessage | Promise<ServerMessage>

function surroundings(talk: Conversation): Surroundings {
  const { registry, origin, namespace, options } = talk
  return { registry, origin, namespace, itemsMax: options.limits.batchItemsMax }
}

/** How each message is answered. */
export const answers: Readonly<Record<Answered, Answer>> = {
  ping: (talk) => ({ type: 'pong', island: talk.island }),

  register: async (talk, message) => ({
    type: 'registered',
    ...(await register(surroundings(talk), message)).response,
  }),

  heartbeat: (talk, message) => ({ type: 'heartbeaten', ...heartbeat(surroundings(talk), message).response }),

  deregister: async (talk, message) => ({
    type: 'deregistered',
    ...(await deregister(surroundings(talk), message)).response,
  }),

  watch(talk, message) {
    requireLoaded(talk.registry)
    const { value, warnings } = readWatch(message, talk.options.limits.batchItemsMax)
    const items = toWatchCommands(value.services, value.namespace ?? talk.namespace)
    talk.subscribed.watch(items)
    for (const item of items) talk.watched.add(viewKey(item))
    return watching(warnings)
  },

  unwatch(talk, message) {
    const { value, warnings } = readWatch(message, talk.options.limits.batchItemsMax)
    const items = toWatchCommands(value.services, value.namespace ?? talk.namespace)
    talk.subscribed.unwatch(items)
    for (const item of items) talk.watched.delete(viewKey(item))
    return watching(warnings)
  },

  resync(talk, message) {
    const { value, warnings } = readWatch(message, talk.options.limits.batchItemsMax)
    const items = toWatchCommands(value.services, value.namespace ?? talk.namespace)
    talk.subscribed.resync(items.filter((item) => talk.watched.has(viewKey(item))))
    return watching(warnings)
  },

  signs(talk, message) {
    requireLoaded(talk.registry)
    const { value } = readSigns(message, talk.options.limits.batchItemsMax)
    const items = toSignItems(value.services, value.namespace ?? talk.namespace)
    const answer = talk.registry.compareSigns(items)
    const differing = new Set(answer.changed.map(viewKey))
    const lagging = items.filter((item) => differing.has(viewKey(item)) && talk.watched.has(viewKey(item)))
    // Repaired first, told second: who reads the answer finds its mirror in order already.
    if (lagging.length > 0) talk.subscribed.watch(lagging)
    return { type: 'signs', ...answer }
  },

  settled(talk, message) {
    const value = readSettled(message, talk.options.limits.batchItemsMax)
    const items = toWatchCommands(value.services, value.namespace ?? talk.namespace)
    // Who watches the whole service hears of its groups as well.
    const names = items.flatMap((item) => [item, { namespace: item.namespace, service: item.service }])
    return { type: 'settled', ...talk.registry.settled(names, value.seq) }
  },

  services(talk, message) {
    requireLoaded(talk.registry)
    const { sign: _, ...page } = talk.registry.services(servicesQueryOf(readServicesQuery(message)))
    return { type: 'services', ...page }
  },
}

/** The view that a `lookup` asks for, in the bytes that every lookup of it gets. */
export function lookUp(talk: Conversation, message: unknown): Body {
  requireLoaded(talk.registry)
  const name = toViewName(readLookup(message), talk.namespace)
  if (!talk.registry.knows(name)) throw unknownService(name)
  return talk.views.current(talk.registry, name).body
}

/** Takes a hint, which like `ack` is answered by nothing. */
export function takeHint(talk: Conversation, message: unknown): void {
  hint(surroundings(talk), message)
}

function watching(warnings: readonly string[] | undefined): ServerMessage {
  return warnings === undefined ? { type: 'watching' } : { type: 'watching', warnings }
}
