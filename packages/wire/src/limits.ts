/** What a node bounds; each may be configured. */
export interface Limits {
  /** Largest HTTP request body. 8 MiB holds 10,000 instances with modest metadata. */
  readonly bodyBytesMax: number
  /** Largest frame a client may send on the stream. */
  readonly frameBytesMax: number
  /** Most items in one batch. */
  readonly batchItemsMax: number
  /** Most UTF-8 bytes of the metadata of one instance, keys and values together. */
  readonly metadataBytesMax: number
  readonly metadataKeysMax: number
  readonly leaseMsMin: number
  readonly leaseMsMax: number
  readonly weightMax: number
  /** Longest `wait` of a lookup. */
  readonly waitMsMax: number
}

/** Defaults of the limits every node enforces. A node may be configured otherwise and tells its own in `welcome`. */
export const LIMITS: Limits = {
  bodyBytesMax: 8_388_608,
  frameBytesMax: 1_048_576,
  batchItemsMax: 10_000,
  metadataBytesMax: 8_192,
  metadataKeysMax: 64,
  leaseMsMin: 1_000,
  leaseMsMax: 86_400_000,
  weightMax: 65_535,
  waitMsMax: 60_000,
}

/** Defaults that are part of the contract because both sides compute with them. */
export const DEFAULTS = {
  namespace: 'default',
  group: 'default',
  weight: 100,
  /** A client that beats over HTTP is silent after this long. Three of its 5 s beats. */
  leaseMs: 15_000,
  /** Interval of the batched HTTP heartbeat. */
  heartbeatMs: 5_000,
  /** Interval at which a stream client sends something; the node counts two missed ones as silence. */
  pingMs: 3_000,
  /** Default address of a node. */
  listen: '127.0.0.1:7400',
} as const

/**
 * Names of namespaces, services, groups, zones and protocols. Not of dots alone: URL parsers resolve such a part of a path
 * before they send it.
 */
export const NAME_PATTERN: RegExp = /^(?!\.+$)[A-Za-z0-9._-]{1,128}$/

/** Instance ids: names, and `host:port` including bracketed IPv6. */
export const ID_PATTERN: RegExp = /^(?!\.+$)[A-Za-z0-9._:[\]-]{1,320}$/

/** A pattern as a JSON schema says it: many that read schemas know no lookahead. */
export interface TextForm {
  readonly pattern: string
  readonly not: { readonly pattern: string }
}

const DOTS = { pattern: '^\\.+$' }
export const NAME_FORM: TextForm = { pattern: '^[A-Za-z0-9._-]{1,128}$', not: DOTS }
/** A name, or `*` for all. */
export const NAME_OR_ALL_FORM: TextForm = { pattern: `^\\*$|${NAME_FORM.pattern}`, not: DOTS }
export const ID_FORM: TextForm = { pattern: '^[A-Za-z0-9._:[\\]-]{1,320}$', not: DOTS }

/** What the patterns say, in words that follow `must be`. */
export const NAME_WORDS = 'a name: 1 to 128 of A-Z a-z 0-9 . _ -, not dots alone'
export const ID_WORDS = 'an id: 1 to 320 of A-Z a-z 0-9 . _ : [ ] -, not dots alone'

/** Largest rev that a client may name: the node itself counts on from there. */
export const REV_MAX: number = 2 ** 31

/** Bounds of what operators declare of services and namespaces. */
export const DECLARATION_LIMITS = {
  groupsMax: 1_000,
  allowMax: 1_000,
  /** How long a `down` instance may stay listed before it expires: a node and a service have the same bounds. */
  removalMsMin: 1_000,
  /** Seven days. */
  removalMsMax: 604_800_000,
} as const

/** Forms of what a probe asks. A request line takes no spaces, and no node sends a fragment. */
export const PROBE_FORMS = {
  path: '^/[!-"$-~]*$',
  serviceName: '^[!-~]+$',
  /** Each range from the lower to the higher status. */
  status: '^[2-5][0-9]{2}(?:-[2-5][0-9]{2})?(?:,[2-5][0-9]{2}(?:-[2-5][0-9]{2})?)*$',
} as const

/** Bounds of how a probe may be made. They keep what a node repeats for every instance small. */
export const PROBE_LIMITS = {
  pathCharsMax: 1_024,
  /** Longest text of accepted statuses. */
  statusCharsMax: 256,
  headersMax: 16,
  headerNameCharsMax: 128,
  headerValueCharsMax: 1_024,
  /** Names and values together. */
  headerCharsMax: 4_096,
  serviceNameCharsMax: 256,
} as const
