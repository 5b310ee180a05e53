/** Options that exist, by where they are given: a misspelt one is refused, for it would be without effect and without a word. */
import { checkKeys, type Keys } from './machine/keys-of-options.js'
import { TIMES } from './machine/settings.js'
import type {
  AddressOptions,
  ClusterTerms,
  ClusterOptions,
  ConnectOptions,
  ReadyOptions,
  RegisterOptions,
  RegistrationPatch,
  ServiceOptions,
  StaticInstance,
  TlsOptions,
} from './api.js'

/** A table that misses an option of its type does not compile. */
const CONNECT: Keys<ConnectOptions> = {
  registries: true,
  learnNodes: true,
  clusters: true,
  merge: true,
  namespace: true,
  zone: true,
  cluster: true,
  snapshotDir: true,
  static: true,
  logger: true,
  observer: true,
  signal: true,
  address: true,
  times: true,
  warmup: true,
  warmupTimeoutMs: true,
  tls: true,
}
const CLUSTER: Keys<ClusterOptions> = {
  registries: true,
  learnNodes: true,
  cluster: true,
  static: true,
  tls: true,
}
const ADDRESS: Keys<AddressOptions> = { host: true, prefer: true }
const REGISTER: Keys<RegisterOptions> = {
  host: true,
  port: true,
  id: true,
  group: true,
  protocol: true,
  weight: true,
  zone: true,
  metadata: true,
  service: true,
  namespace: true,
  state: true,
  leaseMs: true,
  liveness: true,
  probe: true,
  clusters: true,
}
const SERVICE: Keys<ServiceOptions> = {
  group: true,
  namespace: true,
  warmup: true,
  clusters: true,
  merge: true,
  balancer: true,
  zone: true,
  subset: true,
  slowStartMs: true,
  panicThreshold: true,
  idleMs: true,
  tls: true,
}
const PATCH: Keys<RegistrationPatch> = { weight: true, zone: true, protocol: true, metadata: true }
const TERMS: Keys<ClusterTerms> = { host: true, liveness: true, leaseMs: true, probe: true }

const TLS: Keys<TlsOptions> = { ca: true, cert: true, key: true, servername: true }
const STATIC: Keys<StaticInstance> = {
  host: true,
  port: true,
  id: true,
  group: true,
  protocol: true,
  weight: true,
  zone: true,
  metadata: true,
}
const READY: Keys<ReadyOptions> = { timeoutMs: true, signal: true }

/** Where options are given. */
export type OptionPlace =
  | 'connect'
  | 'cluster'
  | 'static'
  | 'address'
  | 'times'
  | 'register'
  | 'update'
  | 'terms'
  | 'service'
  | 'tls'
  | 'ready'

const PLACES: Readonly<Record<OptionPlace, object>> = {
  connect: CONNECT,
  cluster: CLUSTER,
  static: STATIC,
  address: ADDRESS,
  times: TIMES,
  register: REGISTER,
  update: PATCH,
  terms: TERMS,
  service: SERVICE,
  tls: TLS,
  ready: READY,
}

/** Throws `invalid_argument` for an option that does not exist there, and for what is no object. */
export function checkKnown(options: object, place: OptionPlace, prefix = ''): void {
  checkKeys(options, PLACES[place], place, prefix)
}
