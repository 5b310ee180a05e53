/** An undici dispatcher for which host names are names of services: `fetch('http://orders.rollcall/42', { dispatcher })`. */
import type { Rollcall } from '@rollcall/client'
import { Agent, type Dispatcher } from 'undici'
import type { HostOptions } from '../service-hosts.js'
import { serviceHosts } from '../service-hosts.js'
import type { RepeatOptions } from '../repeat-options.js'
import { RoutedRequest } from './routed-request.js'

export type { HostOptions } from '../service-hosts.js'
export type { RepeatOptions } from '../repeat-options.js'

/** How requests to services are made. */
export interface InterceptorOptions extends HostOptions, RepeatOptions {
  /** What is to stay with one instance, such as a user's id. Only the balancer `hash` looks at it. */
  readonly key?: (request: Dispatcher.DispatchOptions) => string | undefined
}

/** Options of the dispatcher. */
export interface DispatcherOptions extends InterceptorOptions {
  /** Of the agent that holds the connections. Default: undici's, with one second for connecting. */
  readonly agent?: Agent.Options
}

/** Time for connecting to one instance: a lost SYN is better retried elsewhere. */
const CONNECT_TIMEOUT_MS = 1_000

/**
 * A dispatcher with an agent of its own, for `fetch` (Node's or undici's), `request` and all else that takes one.
 * Closing it closes the connections, not the client.
 */
export function createDispatcher(rollcall: Rollcall, options: DispatcherOptions = {}): Dispatcher {
  const { agent, ...rest } = options
  return new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, ...agent }).compose(
    interceptor(rollcall, rest),
  )
}

/**
 * The same as an interceptor, for an agent that is there: `agent.compose(interceptor(rollcall))`. A request to a
 * service goes to its instances one after the other until one answers, as `service.call` does. It fails with a
 * `RegistryError` (`fetch` has it as the `cause`). Requests to other hosts pass through untouched.
 */
export function interceptor(
  rollcall: Rollcall,
  options: InterceptorOptions = {},
): Dispatcher.DispatcherComposeInterceptor {
  const serviceOf = serviceHosts(rollcall, options)
  return (dispatch) => (request, handler) => {
    const origin = request.origin instanceof URL ? request.origin : new URL(request.origin ?? 'invalid:')
    const service = serviceOf(origin)
    if (service === undefined) return dispatch(request, handler)
    const key = options.key?.(request)
    new RoutedRequest({
      service,
      dispatch,
      request,
      handler,
      protocol: origin.protocol,
      options,
      key,
    }).start()
    return true
  }
}
