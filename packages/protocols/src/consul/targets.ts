/** What an active check asks: from its URL or `host:port` to a host, a port and a probe of ours. Pure. */
import type { Probe } from '@rollcall/wire'
import type { CheckDefinition } from './definitions.js'

/** Where a check goes, and what it asks there; the port of the probe is not named in it. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly probe: Probe
}

/** 429 says `warning` to Consul, which the answer of a probe tells by its cause. */
const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/\s@]+)):(\d{1,5})(?:\/(.*))?$/

/** Undefined where the target is none, as of a TTL. */
export function parseTarget(
  check: Pick<CheckDefinition, 'type' | 'target' | 'headers' | 'tls' | 'insecure' | 'serverName'>,
): Target | undefined {
  const { type, target = '' } = check
  if (type === 'ttl') return undefined
  return type === 'http' ? httpTarget(check, target) : socketTarget(check, target)
}

function httpTarget(check: Parameters<typeof parseTarget>[0], text: string): Target | undefined {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return undefined
  }
  const { protocol, hostname, port, pathname, search, username, password } = url
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '') return undefined
  const secure = protocol === 'https:'
  const { headers } = check
  return {
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    probe: {
      type: 'http',
      path: `${pathname}${search}`,
      ...(headers === undefined ? {} : { headers }),
      ...tlsOf(check, secure),
    },
  }
}

function socketTarget(check: Parameters<typeof parseTarget>[0], text: string): Target | undefined {
  const match = HOST_PORT.exec(text)
  if (match === null) return undefined
  const [, v6, name, digits, service = ''] = match
  const port = Number(digits)
  const host = (v6 ?? name) as string
  if (port < 1 || port > 65_535) return undefined
  if (check.type === 'tcp') return service === '' ? { host, port, probe: { type: 'tcp' } } : undefined
  return {
    host,
    port,
    probe: {
      type: 'grpc',
      ...(service === '' ? {} : { serviceName: service }),
      ...tlsOf(check, check.tls === true),
    },
  }
}

function tlsOf(
  { insecure, serverName }: Pick<CheckDefinition, 'insecure' | 'serverName'>,
  secure: boolean,
): Pick<Probe, 'tls'> {
  if (!secure) return {}
  if (insecure === undefined && serverName === undefined) return { tls: true }
  return {
    tls: {
      ...(insecure === undefined ? {} : { insecure }),
      ...(serverName === undefined ? {} : { serverName }),
    },
  }
}
