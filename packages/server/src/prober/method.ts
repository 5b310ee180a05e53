/** What a type of probe has to define, and where its connections go. */
import { isIP } from 'node:net'
import type { ProbeRequest } from '@rollcall/core'
import type { ProbeConversation, ProbeTarget } from './socket.js'

/** One way to ask an instance. */
export interface ProbeMethod {
  /** What to offer in the TLS handshake; none = this way is never taken over TLS. */
  readonly alpn: readonly string[]
  /** What to say once connected. */
  conversation(request: ProbeRequest): ProbeConversation
}

/** The connection that a probe needs to an address of its host. */
export function targetOf(request: ProbeRequest, method: ProbeMethod, host: string): ProbeTarget {
  const { port, tls = false } = request
  if (tls === false || method.alpn.length === 0) return { host, port }
  const { insecure = false, serverName = request.host } = tls === true ? {} : tls
  return {
    host,
    port,
    tls: {
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      rejectUnauthorized: !insecure,
      ALPNProtocols: [...method.alpn],
    },
  }
}

/** The registered host and the port asked, as a request names its server. */
export function authorityOf(request: ProbeRequest): string {
  const { host, port } = request
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
