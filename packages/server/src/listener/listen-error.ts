/** Why an address cannot be listened on, in words. */
import { RegistryError } from '@rollcall/wire'

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
  EACCES: 'this user may not use that port',
  ENOTFOUND: 'the host name is unknown',
}

/** The error of the system, for the one who set the address. `setting`: where it stands. */
export function listenError(
  error: NodeJS.ErrnoException,
  { host, port }: { readonly host: string; readonly port: number },
  setting = 'listen',
): RegistryError {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const why = LISTEN_FAULTS[error.code ?? ''] ?? error.message
  return new RegistryError('invalid_argument', `cannot listen on ${address}: ${why}`, {
    field: setting,
    details: { address, reason: error.code ?? 'unknown' },
    cause: error,
  })
}
