/** Connections of probes, over TCP or TLS. */
import { connect as connectTcp } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { Connect } from './socket.js'

/**
 * Connects by the system's own sockets. `authorities` (PEM) vouch for certificates; default: those that Node
 * trusts, to which NODE_EXTRA_CA_CERTS adds.
 */
export function createConnect(authorities?: string): Connect {
  let secureContext: SecureContext | undefined
  return ({ host, port, tls }) => {
    if (tls === undefined) return connectTcp({ host, port })
    // One for all: to build it costs more than the handshake.
    secureContext ??= createSecureContext(authorities === undefined ? {} : { ca: authorities })
    return connectTls({ host, port, ...tls, secureContext })
  }
}
