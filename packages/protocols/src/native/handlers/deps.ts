/** What handlers share. */
import type { Clock, RegistryApi } from '@rollcall/core'
import type { Exchange } from '../../http/exchange.js'
import type { ResolvedOptions } from '../options.js'
import type { ViewCache } from '../../http/view-cache.js'
import type { Waits } from '../../http/waits.js'

/** Answers one request. What it throws becomes the answer. */
export type Handler = (exchange: Exchange) => void | Promise<void>

/** Collaborators of the handlers. */
export interface HandlerDeps {
  readonly registry: RegistryApi
  readonly clock: Clock
  readonly options: ResolvedOptions
  readonly views: ViewCache
  readonly waits: Waits
}
