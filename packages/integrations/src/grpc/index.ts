/** A name resolver for `@grpc/grpc-js`: a channel to `rollcall:///orders` follows the instances of `orders`. */
import type { ChannelOptions, Interceptor, ServiceConfig, StatusObject } from '@grpc/grpc-js'
import { experimental, Metadata, status } from '@grpc/grpc-js'
import type { Instance, Rollcall, Service } from '@rollcall/client'
import { wholeAnswers } from './whole-answers.js'

type Uri = experimental.GrpcUri
type Listener = experimental.ResolverListener

/** How channels are resolved. */
export interface ResolverOptions {
  /** Default `rollcall`. Another one for each client, where a process has several. */
  readonly scheme?: string
  /**
   * What may be executed twice, as `package.Service/Method` or `package.Service`, or `all`. These calls are repeated on
   * another instance when a connection breaks under them. Default none: gRPC repeats by itself what no server saw.
   */
  readonly idempotent?: 'all' | readonly string[]
  /** Attempts of such a call in all, 2 to 5. Default 4. */
  readonly attempts?: number
}

/** What goes with the resolver. */
export interface InstalledResolver {
  /**
   * For the `interceptors` of a client: repeats idempotent unary calls whose answer had begun when the connection
   * broke, which no retry policy of gRPC does. Holds an answer until it is whole.
   */
  readonly interceptor: Interceptor
}

/**
 * Makes channels to `rollcall:///SERVICE`, `rollcall:///SERVICE/GROUP` and `rollcall://NAMESPACE/SERVICE` follow the
 * candidates of this client, balanced round robin (a weight counts only as zero or not) and with a retry policy. For
 * the whole process; doing it again is for channels made afterwards. Without an instance to call, calls fail with
 * UNAVAILABLE, after 5 s where no registry knows the service. A channel option `grpc.service_config` replaces the
 * policies; credentials are the channel's own, and the name to verify is that of the service unless
 * `grpc.ssl_target_name_override` says otherwise.
 */
export function installResolver(rollcall: Rollcall, options: ResolverOptions = {}): InstalledResolver {
  const config = serviceConfig(options)
  experimental.registerResolver(
    options.scheme ?? 'rollcall',
    class extends ServiceResolver {
      constructor(target: Uri, listener: Listener, channel: ChannelOptions) {
        const { service, ...view } = viewOf(target)
        const own = channel['grpc.service_config'] === undefined ? config : null
        super(() => rollcall.service(service, view), listener, own)
      }

      static getDefaultAuthority(target: Uri): string {
        return viewOf(target).service
      }
    },
  )
  return { interceptor: wholeAnswers(mayRepeat(options), (options.attempts ?? ATTEMPTS) - 1) }
}

/** Attempts of an idempotent call. */
const ATTEMPTS = 4

/** Retries of a channel: a call costs what it failed, a fifth comes back with each success, as in the SDK. */
const RETRY_THROTTLING = { maxTokens: 1_000, tokenRatio: 0.2 }

function serviceConfig({ idempotent = [], attempts = ATTEMPTS }: ResolverOptions): ServiceConfig {
  const names =
    idempotent === 'all'
      ? [{}]
      : idempotent.map((name) => {
          const [service = '', method] = name.split('/')
          return method === undefined ? { service } : { service, method }
        })
  const retryPolicy = {
    maxAttempts: attempts,
    // Enough for the channel to see that the connection is gone; the instances that are left need no rest.
    initialBackoff: '0.02s',
    maxBackoff: '0.5s',
    backoffMultiplier: 3,
    retryableStatusCodes: [status.UNAVAILABLE],
  }
  return {
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: names.length === 0 ? [] : [{ name: names, retryPolicy }],
    retryThrottling: RETRY_THROTTLING,
  }
}

/** The names of the retry policy as a question; a path is `/package.Service/Method`. */
function mayRepeat({ idempotent = [] }: ResolverOptions): (path: string) => boolean {
  if (idempotent === 'all') return () => true
  const names = new Set(idempotent)
  return (path) => {
    const name = path.slice(1)
    return names.has(name) || names.has(name.slice(0, name.indexOf('/')))
  }
}

function viewOf({ authority, path }: Uri): {
  readonly service: string
  readonly group?: string
  readonly namespace?: string
} {
  const [service = '', group] = path.split('/')
  return {
    service,
    ...(group !== undefined && { group }),
    ...(authority !== undefined && authority !== '' && { namespace: authority }),
  }
}

/** Hands the candidates of a service to a channel, as they change. A channel that is idle or closed watches nothing. */
class ServiceResolver implements experimental.Resolver {
  private readonly open: () => Service
  private service: Service
  private readonly listener: Listener
  private readonly config: ServiceConfig | null
  /** Set while there is a listener. */
  private stop: (() => void) | undefined
  private left = false
  private handedOver: string | undefined

  constructor(open: () => Service, listener: Listener, config: ServiceConfig | null) {
    this.open = open
    // At once, so that a name which is none is refused where the channel is made.
    this.service = open()
    this.listener = listener
    this.config = config
  }

  updateResolution(): void {
    if (this.left) this.service = this.open()
    this.left = false
    this.stop ??= this.service.onCandidates(() => this.handOver())
    // A channel that asks again has lost a connection: it keeps its list until there is another one.
    if (this.handedOver === undefined) this.handOver()
    if (this.handedOver !== undefined) return
    const { stop } = this
    this.service.ready().then(
      () => this.stop === stop && this.handOver(),
      // Counts only for a channel that has no list yet; it asks again later.
      (error: Error) => this.stop === stop && this.handedOver === undefined && this.fail(error.message),
    )
  }

  destroy(): void {
    this.stop?.()
    this.stop = undefined
    this.handedOver = undefined
    this.left = true
    this.service.close()
  }

  private handOver(): void {
    const { service } = this
    const candidates = service.candidates()
    // Nothing is known yet, or the client was closed: neither is a reason to drop what works.
    if (candidates.length === 0 && service.source === 'none') return
    const weighted = candidates.filter(({ weight }) => weight > 0)
    const called = weighted.length === 0 ? candidates : weighted
    const key = called.map(addressOf).toSorted().join(' ')
    if (key === this.handedOver) return
    this.handedOver = key
    const endpoints = called.map(({ host, port }) => ({ addresses: [{ host, port }] }))
    this.listener(experimental.statusOrFromValue(endpoints), {}, this.policies(), '')
    // An empty list only lets the connections go: round_robin is idle then, and calls would wait for ever.
    if (called.length === 0) this.failAsPick()
  }

  private failAsPick(): void {
    try {
      this.service.pick()
    } catch (error) {
      this.fail((error as Error).message)
    }
  }

  private fail(details: string): void {
    const error: StatusObject = { code: status.UNAVAILABLE, details, metadata: new Metadata() }
    this.listener(experimental.statusOrFromError(error), {}, this.policies(), '')
  }

  private policies(): ReturnType<typeof experimental.statusOrFromValue<ServiceConfig>> | null {
    return this.config === null ? null : experimental.statusOrFromValue(this.config)
  }
}

function addressOf({ host, port }: Instance): string {
  return `${host}:${port}`
}
