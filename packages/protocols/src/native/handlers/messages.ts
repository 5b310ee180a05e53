/** The answer to each message of a client that gets one. What an answer throws is sent as an error. */
import type { Caller, Registry, Subscription } from '@rollcall/core'
import type { ClientMessage, ServerMessage, WatchingMessage } from '@rollcall/wire'
import { readLookup, readServicesQuery, readSettled, readSigns, readWatch } from '@rollcall/wire/schemas'
import { viewKey, type ViewBodies, type ViewBody } from '../../http/view-bodies.js'
import { toSignItems, toViewName, toWatchCommands } from '../mapping.js'
import type { ResolvedOptions } from '../options.js'
import { servicesQueryOf } from '../queries.js'
import { deregister, heartbeat, hint, register, type BatchContext } from './batches.js'
import { requireLoaded } from '../../http/loaded.js'
import type { NodeIdentity } from './deps.js'
import { unknownService } from './unknown.js'

/** What an answer may use of its session. */
export interface Conversation {
  readonly registry: Registry
  readonly node: NodeIdentity
  readonly options: ResolvedOptions
  readonly caller: Caller
  /** Default namespace, from hello. */
  readonly namespace: string
  /** Keys of the watched views. Bounded by what the core lets a node watch. */
  readonly watched: Set<string>
  readonly subscribed: Subscription
  /** The client can compare lists by parts. */
  readonly byParts: boolean
  readonly views: ViewBodies
}

type Answered = Exclude<ClientMessage['type'], 'hello' | 'ack' | 'hint' | 'lookup'>
type Answer = (talk: Conversation, message: ClientMessage) => ServerMessage | Promise<ServerMessage>

function contextOf(talk: Conversation): BatchContext {
  const { registry, caller, namespace, options } = talk
  return { registry, caller, namespace, itemsMax: options.limits.batchItemsMax }
}

/** How each message is answered. */
export const answers: Readonly<Record<Answered, Answer>> = {
  ping: (talk) => ({ type: 'pong', island: talk.registry.read(talk.caller).health().island }),

  register: async (talk, message) => ({
    type: 'registered',
    ...(await register(contextOf(talk), message)).response,
  }),

  heartbeat: (talk, message) => ({ type: 'heartbeaten', ...heartbeat(contextOf(talk), message).response }),

  deregister: async (talk, message) => ({
    type: 'deregistered',
    ...(await deregister(contextOf(talk), message)).response,
  }),

  watch(talk, message) {
    requireLoaded(talk.node)
    const { value, warnings } = readWatch(message, talk.options.limits.batchItemsMax)
    const { byParts } = talk
    const items = toWatchCommands(value.services, value.namespace ?? talk.namespace)
    const compare = talk.subscribed.watch(byParts ? items.map((item) => ({ ...item, byParts })) : items)
    for (const item of items) talk.watched.add(viewKey(item))
    return compare.length === 0 ? watching(warnings) : { ...watching(warnings), compare }
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
    requireLoaded(talk.node)
    const { value } = readSigns(message, talk.options.limits.batchItemsMax)
    const items = toSignItems(value.services, value.namespace ?? talk.namespace)
    const answer = talk.registry.read(talk.caller).compareSigns(items)
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
    const read = talk.registry.read(talk.caller)
    const own = read.settled(names, value.seq)
    const { elsewhere } = talk.node
    if (elsewhere?.hasNodes !== true) return { type: 'settled', ...own }
    const asked = { again: value.seq !== undefined, published: () => read.publishedAt(items) }
    return elsewhere.settled(names, own, asked).then((answer) => ({ type: 'settled', ...answer }))
  },

  services(talk, message) {
    requireLoaded(talk.node)
    const { sign: _, ...page } = talk.registry
      .read(talk.caller)
      .services(servicesQueryOf(readServicesQuery(message)))
    return { type: 'services', ...page }
  },
}

/** The view that a `lookup` asks for, in the bytes that every lookup of it gets; later where they have to be made. */
export function lookUp(talk: Conversation, message: unknown): ViewBody | Promise<ViewBody> {
  requireLoaded(talk.node)
  const name = toViewName(readLookup(message), talk.namespace)
  const read = talk.registry.read(talk.caller)
  if (!read.knows(name)) throw unknownService(read, name)
  return talk.views.current(read, name)
}

/** Takes a hint, which like `ack` is answered by nothing. */
export function takeHint(talk: Conversation, message: unknown): void {
  hint(contextOf(talk), message)
}

function watching(warnings: readonly string[] | undefined): WatchingMessage {
  return warnings === undefined ? { type: 'watching' } : { type: 'watching', warnings }
}
