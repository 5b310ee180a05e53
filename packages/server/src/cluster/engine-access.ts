/** How a node gets into the engine: the files that its settings name, read and looked at before anything is connected. */
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { defined, RegistryError } from '@rollcall/wire'
import type { EtcdSettings } from '../config/types.js'

/** What an engine is opened with. Certificates and keys are PEM. */
export interface EngineAccess {
  readonly endpoints: readonly string[]
  /** What all keys begin with; ends with a slash. */
  readonly prefix: string
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
}

/**
 * Reads the files. Throws `invalid_argument` that names the setting, never what stands in the file.
 * `readFile` is that of Node by default.
 */
export function readEngineAccess(
  { endpoints, prefix, ca, cert, key, user, passwordFile }: EtcdSettings,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): EngineAccess {
  const read = (setting: string, path: string | undefined): string | undefined => {
    if (path === undefined) return undefined
    try {
      return readFile(path)
    } catch (error) {
      throw fault(setting, `cannot be read: ${(error as Error).message}`)
    }
  }
  const access = defined({
    endpoints,
    prefix: `${prefix}/`,
    ca: read('etcd.ca', ca),
    cert: read('etcd.cert', cert),
    key: read('etcd.key', key),
    user,
    password: read('etcd.passwordFile', passwordFile)?.replace(/\r?\n$/, ''),
  })
  if (access.password === '') throw fault('etcd.passwordFile', `${passwordFile} is empty`)
  tryOut('etcd.ca', { ca: access.ca })
  tryOut('etcd.cert', { cert: access.cert })
  tryOut('etcd.key', { cert: access.cert, key: access.key })
  return access
}

function tryOut(
  setting: string,
  pem: { readonly [Kind in 'ca' | 'cert' | 'key']?: string | undefined },
): void {
  // Node takes an authority that is no certificate for none at all.
  if (pem.ca?.includes('-----BEGIN CERTIFICATE-----') === false)
    throw fault(setting, 'is no certificate (PEM)')
  try {
    createSecureContext(defined(pem))
  } catch (error) {
    throw fault(setting, `is of no use: ${(error as Error).message}`)
  }
}

function fault(setting: string, message: string): RegistryError {
  return new RegistryError('invalid_argument', `${setting} ${message}`, { field: setting })
}
