/** The operators’ part of the HTTP API, as commands call it. */
import type {
  EventsResponse,
  Explanation,
  FreezeRequest,
  OverrideClearing,
  OverrideRequest,
  OverridesResponse,
  RestoreRequest,
  RestoreResponse,
  SubscribersResponse,
} from '@rollcall/wire'
import {
  callAny,
  type ApiClientDeps,
  type ApiClientOptions,
  type ApiRequest,
  type Scope,
} from './api-client.js'

/** The operators' part of the native HTTP API. Each call rejects with a RegistryError. */
export interface OperatorClient {
  override(request: OverrideRequest): Promise<OverridesResponse>
  clearOverrides(request: OverrideClearing): Promise<OverridesResponse>
  freeze(request: FreezeRequest): Promise<{ readonly durability: string }>
  unfreeze(request: FreezeRequest): Promise<{ readonly removed: boolean }>
  restore(request: RestoreRequest): Promise<RestoreResponse>
  explain(service: string, id: string, scope: Scope): Promise<Explanation>
  events(query: Readonly<Record<string, string | undefined>>): Promise<EventsResponse>
  subscribers(
    service: string,
    scope: Scope & { readonly seq?: string; readonly ageMs?: string },
  ): Promise<SubscribersResponse>
}

/** Creates a client of the operators' API. It keeps nothing between calls. */
export function createOperatorClient(deps: ApiClientDeps, options: ApiClientOptions): OperatorClient {
  const call = async <T>(request: ApiRequest): Promise<T> => (await callAny(deps, options, request)) as T
  return {
    override: (body) => call({ method: 'PUT', path: '/api/v1/overrides', body }),
    clearOverrides: (body) => call({ method: 'DELETE', path: '/api/v1/overrides', body }),
    freeze: (body) => call({ method: 'PUT', path: '/api/v1/freeze', body }),
    unfreeze: (body) => call({ method: 'DELETE', path: '/api/v1/freeze', body }),
    restore: (body) => call({ method: 'POST', path: '/api/v1/restore', body }),
    explain: (service, id, scope) =>
      call({ method: 'GET', path: '/api/v1/explain', query: { service, id, ...scope } }),
    events: (query) => call({ method: 'GET', path: '/api/v1/events', query }),
    subscribers: (service, query) =>
      call({
        method: 'GET',
        path: `/api/v1/services/${encodeURIComponent(service)}/subscribers`,
        query: { ...query },
      }),
  }
}
