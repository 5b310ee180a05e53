/** How connections are made secure, as programs say it, checked before the first connection fails by it. */
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { invalid } from '../machine/errors.js'

/** Certificates and names for connections over TLS. What is absent is as Node has it: the authorities it trusts, no certificate of one's own. */
export interface TlsOptions {
  /** Certificates of the authorities that are trusted, instead of those of Node; PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** The own certificate, with those between it and its authority; PEM. Goes with `key`. */
  readonly cert?: string | Uint8Array
  /** The key of `cert`; PEM, not encrypted. */
  readonly key?: string | Uint8Array
  /**
   * The name that is asked for and that the certificate has to be of. Default: the host that is called. Instances are called by
   * address, which no certificate names: give them the name they share, such as `orders.internal`.
   */
  readonly servername?: string
}

/** TLS options as Node takes them. */
export interface NodeTls {
  readonly ca?: (string | Buffer)[]
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
}

/**
 * The options as `node:tls` and `node:https` take them, for connections that a program makes beside the SDK. Throws
 * `invalid_argument` for those that cannot work.
 */
export function nodeTls(options: TlsOptions): NodeTls {
  const { ca, cert, key, servername } = options
  if ((cert === undefined) !== (key === undefined))
    throw invalid('a certificate and its key go together', cert === undefined ? 'tls.cert' : 'tls.key')
  if (
    servername !== undefined &&
    (typeof servername !== 'string' || servername === '' || isIP(servername) !== 0)
  )
    throw invalid('the server name is a host name, not an address', 'tls.servername')
  const list = ca === undefined || Array.isArray(ca) ? (ca as NonNullable<typeof ca>[] | undefined) : [ca]
  const checked: NodeTls = {
    ...(list !== undefined && { ca: list.map((each) => pem(each, 'ca')) }),
    ...(cert !== undefined && { cert: pem(cert, 'cert') }),
    ...(key !== undefined && { key: pem(key, 'key') }),
    ...(servername !== undefined && { servername }),
  }
  try {
    createSecureContext(checked)
  } catch (error) {
    throw invalid(`the certificates cannot be used: ${(error as Error).message}`, 'tls')
  }
  return checked
}

function pem(value: unknown, name: string): string | Buffer {
  const bytes = value instanceof Uint8Array ? Buffer.from(value) : value
  // What holds no certificate at all is silently no authority.
  if ((typeof bytes === 'string' || Buffer.isBuffer(bytes)) && bytes.includes('-----BEGIN ')) return bytes
  throw invalid(`${name} is no PEM: the text of a file that begins with -----BEGIN`, `tls.${name}`)
}
