/** The settings of a node: type, default and reason of each. Flags, variables, file and reference page follow from it. */
import { DEFAULTS, defined, LIMITS, NAME_PATTERN, DECLARATION_LIMITS } from '@rollcall/wire'
import { z } from 'zod'
import { isAllowEntry, isHostName, isWildcardHost, parseHostPort } from './address.js'
import { parseNetwork } from '../prober/address-rule.js'
import { type DnsGroup, dnsGroup, dnsOf } from './dns.js'
import { foreignSetting } from './foreign.js'
import { engineOf, etcdGroup, type EtcdGroup } from './etcd.js'
import { choice, duration, integer, list, size, text, toggle } from './fields.js'
import type { Note, SettingKind } from './fields.js'
import type { Config } from './types.js'
import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/logging.js'

const NETWORK = 'an address or a CIDR block'
const ALLOWED = 'an address, a CIDR block or a host name'
const DAY_MS = 86_400_000
const MIB = 1_048_576
const GIB = 1_073_741_824

/** A name as the wire knows it. */
const isName = (value: string): boolean => NAME_PATTERN.test(value)

const namespaceNote: Note = {
  kind: 'json',
  form: 'a map from namespace to {"allow": [address, CIDR block or host name, …]}',
  reason:
    'Which addresses may register in a namespace; all may in those that are not named. Given once on every node, unlike a ' +
    'PUT it cannot be changed through the API.',
}

const limits = z.strictObject({
  bodyBytesMax: size(
    1_024,
    GIB,
    'Largest HTTP request body. 8 MiB holds 10,000 instances with modest metadata.',
  ).default(LIMITS.bodyBytesMax),
  frameBytesMax: size(
    1_024,
    GIB,
    'Largest message of a stream client. 1 MiB holds 1,000 registrations with ample metadata; clients split what is more.',
  ).default(LIMITS.frameBytesMax),
  batchItemsMax: integer(
    1,
    1_000_000,
    'Most items in one request. While a batch is judged, nothing else happens on the node.',
  ).default(LIMITS.batchItemsMax),
  metadataBytesMax: size(
    0,
    1_048_576,
    'Most bytes of metadata per instance. Every consumer receives them; larger things belong elsewhere.',
  ).default(LIMITS.metadataBytesMax),
  metadataKeysMax: integer(0, 10_000, 'Most metadata keys per instance.').default(LIMITS.metadataKeysMax),
  leaseMsMin: duration(
    100,
    DAY_MS,
    'Shortest lease a provider may ask for. Below a second, an ordinary pause looks like a death.',
  ).default(LIMITS.leaseMsMin),
  leaseMsMax: duration(1_000, 7 * DAY_MS, 'Longest lease a provider may ask for.').default(LIMITS.leaseMsMax),
  weightMax: integer(1, 65_535, 'Largest weight. The digest of an instance has 16 bits for it.').default(
    LIMITS.weightMax,
  ),
  waitMsMax: duration(
    1_000,
    600_000,
    'Longest wait of a lookup. A minute is what common proxies allow.',
  ).default(LIMITS.waitMsMax),
  connectionsMax: integer(
    1,
    1_000_000,
    'Most open connections, streams included. Beyond it new ones are closed at once. Each takes a file descriptor, and never one of those that are kept for journal and probes: where `ulimit -n` is too small the node says so at its start. Default: what the descriptors and a quarter of the heap suffice for, at most 50,000.',
  ).optional(),
  instancesMax: integer(
    1,
    10_000_000,
    'Most instances that are listed at a time. What left and is remembered does not count: its memory is bounded by tombstoneBytesMax and strayBytesMax.',
  ).default(1_000_000),
  recordBytesMax: size(
    MIB,
    64 * GIB,
    'Most memory for what listed instances offer, by an estimate: 0.4 KB each, with metadata and probe. Default: three eighths of the heap limit of the process, which --max-old-space-size sets.',
  ).optional(),
  tombstoneBytesMax: size(
    MIB,
    64 * GIB,
    'Most memory for what stays of a registration until it is forgotten, by an estimate: 0.8 KB each, with its override, 1.8 KB for a service and 0.4 KB for a group that nothing else is in, and what the expired offered. It is taken at the registration, so that it can always be deregistered: beyond it new ids are refused, until others were gone for the retention. Known ones may come back and change. Default: a quarter of the heap limit.',
  ).optional(),
  strayBytesMax: size(
    MIB,
    64 * GIB,
    'Most memory for strays: deregistrations of what was never registered here, which are remembered for 30 s in case a registration is still under way. Beyond it they are refused; what is registered can always be deregistered. Default: a sixteenth of the heap limit.',
  ).optional(),
  servicesMax: integer(
    1,
    10_000_000,
    'Most services that are listed: declared, or with a listed instance.',
  ).default(100_000),
  namespacesMax: integer(
    1,
    1_000_000,
    'Most namespaces with a listed service, and most that are declared.',
  ).default(10_000),
  declarationBytesMax: size(
    MIB,
    64 * GIB,
    'Most memory for declarations of services and namespaces, by an estimate: 1.5 KB each, with groups, allow lists and metadata. Default: a sixteenth of the heap limit.',
  ).optional(),
  watchesMax: integer(
    1,
    100_000_000,
    'Most watched views, summed over subscribers. 10,000 subscribers of 100 services each.',
  ).default(1_000_000),
  watchesPerSubscriberMax: integer(
    1,
    100_000_000,
    'Most views that one stream may watch. Ten thousand are far beyond what a process calls; who mirrors a whole registry may need more.',
  ).default(10_000),
  watchBytesMax: size(
    MIB,
    64 * GIB,
    'Most memory for watches, by an estimate: 0.3 KB each, and 0.5 KB for each view that is watched at all. Default: an eighth of the heap limit.',
  ).optional(),
  waitersMax: integer(1, 1_000_000, 'Most long polls that wait at a time.').default(10_000),
  heapPercentMax: integer(
    10,
    90,
    'How much of the heap limit may be alive, in percent, before the node refuses whatever would add to it. Renewals, beats, deregistrations and lookups go on. The rest is for what requests need while they are served, and for garbage.',
  ).default(60),
  unsentBytesMax: size(
    16_384,
    64 * GIB,
    'Most bytes of answers that their readers have not taken yet, streams included; what several readers are sent counts once. Beyond it long answers are refused, and subscribers that lag get no more changes until they have read. Default: a quarter of the limit of the heap.',
  ).optional(),
  receivedBytesMax: size(
    16_384,
    64 * GIB,
    'Most bytes of request bodies that arrive or are worked on; beyond it they are refused. Bodies up to 16 KiB, such as beats, have a quarter as much of their own. Default: a sixteenth of the limit of the heap.',
  ).optional(),
  peerSharePercent: integer(
    1,
    100,
    'What one peer, which is an address or under IPv6 a /64, may hold of each budget, in percent, once three quarters of that budget are taken. Below three quarters a peer may have all of them: it may be a whole fleet.',
  ).default(50),
  sharedNetworks: list(
    NETWORK,
    (value) => parseNetwork(value) !== undefined,
    'Networks whose addresses stand for many clients each, such as balancers, proxies and NATs: peerSharePercent does not hold for them.',
  ).default([]),
  historyBytesMax: size(
    0,
    64 * GIB,
    'Memory for recent changes, from which subscribers that were away for a moment catch up (three quarters), and readers of whole namespaces (one). Less means full views more often, never wrong ones. Default: a sixty-fourth of the heap limit, 64 MiB of 4 GiB.',
  ).optional(),
  eventsMax: integer(
    0,
    1_000_000,
    'Events that are remembered for operators; 0 = none. Default: 10,000, less where the heap limit is below 1.3 GB: one in 128 KiB of it.',
  ).optional(),
  subscriberBufferBytesMax: size(
    4_096,
    GIB,
    'Unsent bytes of one subscriber beyond which it gets no more changes, and what it lacks once it reads again.',
  ).default(1_048_576),
})

const journal = z.strictObject({
  rotateBytesMin: size(
    65_536,
    64 * GIB,
    'The log is condensed into a snapshot when it has grown by more than this and than the last snapshot. 16 MiB are some 100,000 registrations.',
  ).default(16_777_216),
  queueEntriesMax: integer(
    1_000,
    10_000_000,
    'Most entries that wait for the disk, in memory. Beyond it the disk counts as failing: acknowledgements say `memory` until it keeps up again.',
  ).default(500_000),
  commitMsMax: duration(
    100,
    600_000,
    'A commit that takes longer counts as a failing disk, so that no caller is kept waiting.',
  ).default(5_000),
})

/** Every setting of a node, each with its default and the reason for it. */
const SCHEMA = z.strictObject({
  listen: text(
    'HOST:PORT, with IPv6 in brackets',
    'Where API, stream and console are served. Loopback, because callers are not authenticated yet. Port 0 takes any free port.',
    (value) => parseHostPort(value) !== undefined,
  ).default(DEFAULTS.listen),
  advertise: text(
    'HOST:PORT that others can call',
    'Address under which clients reach this node, where it differs from the one it listens on. Its host is an allowed host.',
    isCallable,
  ).optional(),
  insecureListen: toggle(
    'Allows listening beyond loopback although every caller that reaches the port may then register and deregister.',
  ).default(false),
  data: text(
    'the name of a directory',
    'Where the journal is kept. A node that forgets everything in a restart costs every client a full list.',
    (value) => value !== '' && !value.includes('\0'),
  ).default('./rollcall-data'),
  memory: toggle(
    'Keeps nothing on disk: for tests, and for nodes whose clients are all there to register again.',
  ).default(false),
  admission: choice(
    ['open', 'strict'],
    '`open`: registering creates what it names. `strict`: services and groups must have been declared.',
  ).default('open'),
  cluster: text(
    'a name of up to 128 letters, digits, dots, dashes and underscores',
    'Name of the registry. Clients that know several registries tell them apart by it.',
    isName,
  ).default('rollcall'),
  nodeId: text(
    'a name of up to 128 letters, digits, dots, dashes and underscores',
    'Name of this node in logs and answers. Default: a new one at each start.',
    isName,
  ).optional(),
  allowedHosts: list(
    'a host name',
    isHostName,
    'Host names under which the node may be called, beside addresses, names of one label (localhost), of services in Kubernetes (*.svc, *.svc.cluster.local), of the machine and of the advertised host. A web page that points its own name at this node is thereby refused, on /metrics too.',
  ).default([]),
  probeNetworks: list(
    NETWORK,
    (value) => parseNetwork(value) !== undefined,
    'Networks whose addresses may be probed on behalf of any caller. By default a node connects only to the address that the registration came from: it is not a port scanner.',
  ).default([]),
  probeOtherPorts: toggle(
    'Lets a probe go to another port than the registered one, such as that of a management endpoint. Where many callers come through one proxy or NAT, each of them may then have the node connect to any port of it.',
  ).default(false),
  probeCredentials: toggle(
    'Lets a probe carry Host, Authorization, Proxy-Authorization and Cookie. They stand in the journal as they are.',
  ).default(false),
  namespaces: z
    .record(
      z.string().regex(NAME_PATTERN),
      z.strictObject(
        {
          allow: z.array(z.string().refine(isAllowEntry, { error: `must be ${ALLOWED}` }), {
            error: `must be a list, each ${ALLOWED}`,
          }),
        },
        { error: 'must be a map with `allow`' },
      ),
      {
        error: (issue) =>
          issue.code === 'invalid_key'
            ? 'is not the name of a namespace'
            : 'must be a map from namespaces to their settings',
      },
    )
    .meta({ ...namespaceNote })
    .default({}),
  logLevel: choice(
    LOG_LEVELS,
    'Least urgent level that is logged: error = an operator must act, warn = it heals itself, info = life of the node, debug = for finding faults.',
  ).default('info'),
  logFormat: choice(
    LOG_FORMATS,
    '`auto`: text on a terminal, JSON lines otherwise. Logs go to standard output.',
  ).default('auto'),
  pingMs: duration(
    100,
    60_000,
    'How often a stream client sends something. Two missed ones are silence and cost a probe; 3 s keep the detection of a silent host within 10 s.',
  ).default(DEFAULTS.pingMs),
  removalMs: duration(
    DECLARATION_LIMITS.removalMsMin,
    DECLARATION_LIMITS.removalMsMax,
    'How long an instance that is down stays listed before it expires. Long enough to see it, and for a restart in place. A service may set its own.',
  ).default(60_000),
  retentionMs: duration(
    60_000,
    7 * DAY_MS,
    'How long a deregistered or expired instance is remembered, so that late packets and stale copies cannot bring it back.',
  ).default(3_600_000),
  stopMs: duration(
    0,
    600_000,
    'How long an orderly stop may take: moving streams elsewhere, finishing requests, committing the journal. A third of what orchestrators allow.',
  ).default(10_000),
  eureka: foreignSetting(
    'eureka',
    'Where the REST API of Eureka is served, so that clients of Eureka use this node unchanged: their URL is http://HOST:PORT/eureka/.',
  ),
  consul: foreignSetting(
    'consul',
    'Where the HTTP API of Consul is served, so that clients of Consul use this node unchanged.',
  ),
  etcd: etcdGroup,
  nodeLeaseMs: duration(
    2_000,
    60_000,
    'How long a node that has joined others may be silent towards the engine before they count it as gone and judge its instances in its place. Three missed signs of life; what is shorter than an ordinary pause of a machine makes nodes take over from each other for nothing. etcd counts in whole seconds: what is between is rounded up.',
  ).default(6_000),
  dns: dnsGroup,
  limits: limits.prefault({}),
  journal: journal.prefault({}),
})

function isCallable(value: string): boolean {
  const parsed = parseHostPort(value)
  return parsed !== undefined && parsed.port > 0 && !isWildcardHost(parsed.host)
}

/** One setting, as it appears in each source. */
export interface Setting {
  /** Path in the file, such as `limits.bodyBytesMax`. */
  readonly key: string
  readonly path: readonly string[]
  /** Such as `limits-body-bytes-max`. */
  readonly flag: string
  /** Such as `ROLLCALL_LIMITS_BODY_BYTES_MAX`. */
  readonly variable: string
  readonly kind: SettingKind
  readonly form: string
  /** All values there are, where there are few. */
  readonly choices?: readonly string[]
  /** Key of its group, which in the file may be given this value in place of its settings. */
  readonly short?: string
  /** What stands for `true`, and for its flag without a value. */
  readonly bare?: string
  readonly reason: string
  /** undefined where the setting may be absent. */
  readonly defaultValue: unknown
  /** Judges a value; the problems are empty when it is fine. Paths lead into lists and maps. */
  judge(value: unknown): readonly { readonly path: string; readonly message: string }[]
}

/** Every setting, in the order in which a person should read them. */
export const SETTINGS: readonly Setting[] = collect(SCHEMA.shape, [])

/** All settings by their paths; those without a default may be absent. */
export type Settings = Omit<Config, 'etcd' | 'dns'> & { readonly etcd: EtcdGroup; readonly dns: DnsGroup }

/** Fills in defaults. The values must have passed their settings' own judgement. */
export function completeSettings(values: unknown): Settings {
  return SCHEMA.parse(values)
}

/** The settings as the parts of a node receive them. */
export function configOf({ etcd, dns, ...others }: Settings): Config {
  return { ...others, ...defined({ etcd: engineOf(etcd), dns: dnsOf(dns) }) }
}

function collect(shape: Readonly<Record<string, z.ZodType>>, above: readonly string[]): Setting[] {
  return Object.entries(shape).flatMap(([name, outer]) => {
    const path = [...above, name]
    const inner = unwrap(outer)
    if (inner instanceof z.ZodObject) return collect(inner.shape, path)
    return [describe(path, outer, inner)]
  })
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap() as z.ZodType)
  }
  return schema
}

function describe(path: readonly string[], outer: z.ZodType, inner: z.ZodType): Setting {
  const note = inner.meta() as Note | undefined
  if (note === undefined) throw new TypeError(`setting ${path.join('.')} has no reason`)
  const named = note.short === undefined ? path : [note.short]
  const words = named.flatMap((name) => name.split(/(?=[A-Z])/)).map((word) => word.toLowerCase())
  return {
    key: path.join('.'),
    path,
    flag: words.join('-'),
    variable: `ROLLCALL_${words.join('_').toUpperCase()}`,
    ...note,
    defaultValue: outer instanceof z.ZodOptional ? undefined : outer.parse(undefined),
    judge(value) {
      const result = inner.safeParse(value)
      if (result.success) return []
      const problems = result.error.issues.map((issue) => ({
        path: issue.path.map(String).join('.'),
        message: issue.message,
      }))
      // A value that breaks two rules of one sentence is told once.
      return problems.filter(
        (problem, at) =>
          problems.findIndex((other) => other.path === problem.path && other.message === problem.message) ===
          at,
      )
    },
  }
}
