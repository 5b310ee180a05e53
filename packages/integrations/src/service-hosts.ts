/** Which host names of URLs mean services. Pure. */
import type { Rollcall, Service, ServiceOptions } from '@rollcall/client'

/** Which host names of URLs are names of services; all others are left alone. */
export interface HostOptions {
  /** `http://orders.rollcall/…` is a call of `orders`. Default `.rollcall`; `false` for none. */
  readonly suffix?: string | false
  /** Services whose names are host names as they are: `http://orders/…`. Default none. */
  readonly services?: readonly string[]
  /** Group, namespace and balancer of these services. */
  readonly service?: ServiceOptions
}

/** Gives the service that a URL means; undefined when it is an ordinary one. Throws for what is no name of a service. */
export type ServiceOf = (url: URL) => Service | undefined

/**
 * A service that a host name names stays watched for so long without a request: names of hosts may come from
 * strangers. Those of `services` stay until the client is closed.
 */
const IDLE_MS = 300_000

/**
 * Finds services by host name. Host names are lower case, so a service is found by suffix only if its name is, or if
 * it is among `services`. A URL with a port is an ordinary one: services have none.
 */
export function serviceHosts(rollcall: Rollcall, options: HostOptions): ServiceOf {
  const { suffix = '.rollcall', services = [], service } = options
  const names = new Map(services.map((name) => [name.toLowerCase(), name]))
  const handles = new Map<string, Service>()
  return ({ protocol, hostname, port }) => {
    if (port !== '' || (protocol !== 'http:' && protocol !== 'https:')) return undefined
    const short =
      suffix !== false && hostname.endsWith(suffix) ? hostname.slice(0, -suffix.length) : undefined
    const name = short ?? hostname
    const listed = names.get(name)
    if (listed !== undefined) {
      const handle = handles.get(listed) ?? rollcall.service(listed, service)
      handles.set(listed, handle)
      return handle
    }
    return short === undefined || short === ''
      ? undefined
      : rollcall.service(short, { idleMs: IDLE_MS, ...service })
  }
}

/** The origin of an instance; `protocol` is that of the URL, where the instance does not say. */
export function originOf(
  instance: { readonly protocol?: string; readonly host: string; readonly port: number },
  protocol: string,
): string {
  const scheme =
    instance.protocol === 'https' || instance.protocol === 'http' ? `${instance.protocol}:` : protocol
  const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host
  return `${scheme}//${host}:${instance.port}`
}
