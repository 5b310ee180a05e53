/** The settings of the engine that joins nodes: which etcd, and how to get in. And what contradicts itself among them. */
import { z } from 'zod'
import { isWildcardHost, parseHostPort } from './address.js'
import { list, text } from './fields.js'
import type { EtcdSettings } from './types.js'

/** Members of an etcd are three or five, with some room for a move from old ones to new ones. */
const ENDPOINTS_MAX = 32

const ENDPOINT = 'an http or https URL of host and port alone, such as http://10.0.0.1:2379'
const FILE = 'the name of a file'

/** The group as it was read: `endpoints` may be missing. */
export type EtcdGroup = Omit<EtcdSettings, 'endpoints'> & {
  readonly endpoints?: EtcdSettings['endpoints'] | undefined
}

/** The group `etcd`. Without endpoints the node is one by itself, and none of the others has a meaning. */
export const etcdGroup: z.ZodType<EtcdGroup> = z
  .strictObject({
    endpoints: list(
      ENDPOINT,
      isEndpoint,
      'Where the etcd is that joins this node with others: all of its members, so that any may fail. In the file `etcd: [URL, …]` will do. Without it the node is a registry by itself.',
      { itemsMin: 1, itemsMax: ENDPOINTS_MAX, short: 'etcd' },
    ).optional(),
    prefix: text(
      'a path such as /rollcall, of letters, digits, dots, dashes and underscores',
      'What all keys in etcd begin with. Clusters that share an etcd have one each. A user of etcd needs no more than to read and write what begins with it.',
      (value) => /^(\/[A-Za-z0-9._-]{1,128}){1,8}$/.test(value),
    ).default('/rollcall'),
    ca: text(
      FILE,
      'Certificates (PEM) of the authorities that vouch for etcd. Default: those that Node.js trusts.',
      isFile,
    ).optional(),
    cert: text(
      FILE,
      'Certificate (PEM) that shows etcd which client this is, with its chain.',
      isFile,
    ).optional(),
    key: text(FILE, 'Key (PEM, without a passphrase) of that certificate.', isFile).optional(),
    user: text(
      'a name',
      'User of etcd, where it asks for one. Without https its password travels in the clear.',
      (value) => value !== '' && value.length <= 256,
    ).optional(),
    passwordFile: text(
      FILE,
      'Where the password of that user stands, alone; a line break at its end does not count. It is read at the start. A file, because every process of a machine can read the flags of the others.',
      isFile,
    ).optional(),
  })
  .prefault({})

/** The engine that a node is told of; undefined for a node by itself. */
export function engineOf({ endpoints, ...others }: EtcdGroup): EtcdSettings | undefined {
  return endpoints === undefined ? undefined : { endpoints, ...others }
}

/** Most bytes of metadata of an instance that goes to other nodes: in JSON, at worst six times as long, it fits a write of the engine. */
const METADATA_BYTES_MAX = 131_072

/** Tells what makes no sense together, each under the setting that is too much or too little. `given`: it is no default. */
export function judgeEtcd(
  etcd: EtcdGroup,
  node: {
    readonly listen: string
    readonly advertise?: string | undefined
    readonly limits: { readonly metadataBytesMax: number }
  },
  given: (key: string) => boolean,
  report: (key: string, message: string) => void,
): void {
  const { endpoints, ca, cert, key, user, passwordFile } = etcd
  if (endpoints === undefined) {
    for (const name of Object.keys(etcd)) {
      if (given(`etcd.${name}`)) report(`etcd.${name}`, 'is about an etcd, and none is named: add --etcd')
    }
    return
  }
  const secure = endpoints.filter((endpoint) => endpoint.startsWith('https:')).length
  if (secure > 0 && secure < endpoints.length) report('etcd.endpoints', 'mixes http and https: choose one')
  if (secure === 0) {
    for (const [name, value] of Object.entries({ ca, cert, key }))
      if (value !== undefined) report(`etcd.${name}`, 'is for https, and no endpoint of etcd is')
  }
  if (new Set(endpoints.map(bare)).size < endpoints.length)
    report('etcd.endpoints', 'names an endpoint twice')
  pair(report, ['etcd.cert', cert], ['etcd.key', key, '--etcd-key'], '--etcd-cert')
  pair(
    report,
    ['etcd.user', user],
    ['etcd.passwordFile', passwordFile, '--etcd-password-file'],
    '--etcd-user',
  )
  if (node.limits.metadataBytesMax > METADATA_BYTES_MAX) {
    report(
      'limits.metadataBytesMax',
      `is more than ${METADATA_BYTES_MAX} bytes: nodes of a cluster could not tell each other of such an instance`,
    )
  }
  const listen = parseHostPort(node.listen)
  if (listen !== undefined && isWildcardHost(listen.host) && node.advertise === undefined) {
    report(
      'listen',
      'is every address of this machine, and other nodes need one to call: add --advertise HOST:PORT',
    )
  }
}

/** Both or none. */
function pair(
  report: (key: string, message: string) => void,
  [one, its]: readonly [string, string | undefined],
  [other, others, otherFlag]: readonly [string, string | undefined, string],
  oneFlag: string,
): void {
  if (its !== undefined && others === undefined) report(one, `has no meaning without ${otherFlag}`)
  if (its === undefined && others !== undefined) report(other, `has no meaning without ${oneFlag}`)
}

/** The port is part of it, since that of the scheme is never etcd's; a password has no place in it. */
function isEndpoint(value: string): boolean {
  const address = parseHostPort(bare(value).replace(/^https?:\/\//, ''))
  return /^https?:\/\//.test(value) && address !== undefined && address.port > 0
}

function bare(endpoint: string): string {
  return endpoint.replace(/\/$/, '').toLowerCase()
}

function isFile(value: string): boolean {
  return value !== '' && !value.includes('\0')
}
