/** What an engine on etcd is told, with defaults and reasons. */

export interface EtcdOptions {
  /** URLs of the members, `http://` or `https://`, all of one etcd cluster. */
  readonly endpoints: readonly string[]
  /** Begins every key and ends with `/`. Nothing else may write below it. */
  readonly prefix: string
  /** Certificates (PEM) that sign those of the members. Default: those that Node trusts. */
  readonly ca?: string | undefined
  /** Certificate (PEM) of this client, with `key`. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** A user of etcd, with `password`. Default: none, for an etcd without users or one that knows them by certificate. */
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly timing?: Partial<EtcdTiming>
}

/** Every wait of the engine. */
export interface EtcdTiming {
  /** Until a connection stands. A member on the same continent needs a tenth of it; another one is tried sooner. */
  readonly connectMs: number
  /** Until one member has answered one request. A member that commits in seconds is slow and not gone; etcd itself gives up after 7 s. */
  readonly requestMs: number
  /** Until an operation is given up, all attempts at all members together: one member that hangs, and one that answers. */
  readonly operationMs: number
  /** Between attempts after all members failed, doubled up to `retryMsMax`, each shortened by up to a half at random. */
  readonly retryMs: number
  readonly retryMsMax: number
  /** How often a watch asks for progress. The port promises a sign every few seconds. */
  readonly progressMs: number
  /** So many requests for progress without any message: the stream is replaced, with its connection. */
  readonly progressMissesMax: number
  /** How often a lease is renewed, as a share of its time: one renewal may be lost, and the port's three per lease stand. */
  readonly renewals: number
  /** Silence of a connection that is in use, after which a ping asks for life; and as long again until it is given up. */
  readonly quietMs: number
  /** Between pings of a connection: etcd closes one that asks more often than every 5 s. */
  readonly pingMs: number
  /** How often the version and the alarms are read: they are for people. */
  readonly statusMs: number
  /** How long a close waits for leases to be revoked: after that they end by themselves. */
  readonly closeMs: number
}

export const ETCD_TIMING: EtcdTiming = {
  connectMs: 2_000,
  requestMs: 5_000,
  operationMs: 8_000,
  retryMs: 100,
  retryMsMax: 2_000,
  progressMs: 3_000,
  progressMissesMax: 3,
  renewals: 5,
  quietMs: 2_000,
  pingMs: 5_500,
  statusMs: 30_000,
  closeMs: 1_000,
}

/** Sizes. */
export const ETCD_SIZES = {
  /** PrefixKeys on the first page of a range; later pages follow the size of the entries. */
  pageKeysFirst: 1_000,
  pageKeysMax: 5_000,
  /** What a page should hold: small enough for one turn of the event loop, and for etcd to go on beside it. */
  pageBytes: 1_048_576,
  /** Largest answer that is taken in: a page of entries that grew all at once, or what stands instead of a whole batch. */
  answerBytesMax: 33_554_432,
  /** Largest request that is sent as one; etcd's limit is 1.5 MiB, as installed. */
  requestBytesMax: 1_500_000,
} as const

/** The options with all waits, checked. Throws TypeError for what no engine can be made of. */
export function checkedOptions(options: EtcdOptions): EtcdOptions & { readonly timing: EtcdTiming } {
  if (options.endpoints.length === 0) throw new TypeError('no endpoint of etcd')
  const endpoints = options.endpoints.map((endpoint) => {
    const url = new URL(endpoint)
    const plain = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
    if (!/^https?:$/.test(url.protocol) || !plain)
      throw new TypeError(`an endpoint of etcd is a URL like https://host:2379, not ${endpoint}`)
    return url.origin
  })
  if (!/^\/(?:[\x21-\x7e]+)\/$|^\/$/.test(options.prefix))
    throw new TypeError('the prefix of the keys in etcd begins and ends with a slash and is plain ASCII')
  if ((options.cert === undefined) !== (options.key === undefined))
    throw new TypeError('a certificate for etcd comes with its key')
  if ((options.user === undefined) !== (options.password === undefined))
    throw new TypeError('a user of etcd comes with a password')
  return { ...options, endpoints: [...new Set(endpoints)], timing: { ...ETCD_TIMING, ...options.timing } }
}
