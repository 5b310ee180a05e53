/** A server of this process as a registered instance: what Express, Fastify, NestJS and gRPC share. */
import type { Server } from 'node:net'
import type { ConnectOptions, RegisterOptions, Registration, Rollcall } from '@rollcall/client'
import { connect, isRegistryError, RegistryError } from '@rollcall/client'
import type { Timing } from './clock.js'
import { SYSTEM_TIMING } from './clock.js'
import { OpenSockets } from './open-sockets.js'

/** How a server of this process is registered: as `register` takes it, and what belongs to its beginning and end. */
export interface ProviderOptions extends Omit<RegisterOptions, 'port' | 'state'> {
  /** A client, which stays open; or the options of one that is closed with the server. */
  readonly client: Rollcall | ConnectOptions
  /**
   * Default: the port that the server listens on. Behind a port mapping, and for a server that listens at a path, the
   * one that others reach.
   */
  readonly port?: number
  /**
   * What has to be done before calls may come: meanwhile the instance is `starting`. If it rejects, the instance
   * is taken back. The signal is aborted when the server is closed first. Default: ready at once.
   */
  readonly ready?: (signal: AbortSignal) => unknown
  /**
   * How long the server goes on after consumers were asked to choose others. Default 1,000: a consumer hears of
   * it in milliseconds, and one that reconnects at that moment within a second.
   */
  readonly settleMs?: number
  /**
   * Time after that for requests under way, WebSockets and tunnels; then their connections are cut. Default 10,000:
   * orchestrators kill after 30 s by default.
   */
  readonly requestsMs?: number
}

/** A server that is registered, or about to be. */
export interface Provider {
  /** For calls to others; ends after the server, if it is not the application's own. */
  readonly client: Rollcall
  /**
   * Resolves when the instance is registered and ready, with `state: 'pending'` if no registry answers yet.
   * Rejects when the registry refuses it or `ready` failed. Before the server listens it waits for that.
   */
  readonly registered: Promise<Registration>
}

/** Time for a registry to take the draining, and the deregistration: beyond it the server ends all the same. */
const TOLD_MS = 1_000

/** Requests under way at the end have this long. */
const REQUESTS_MS = 10_000

/** The life of a registered server, in the order that every framework has to keep: `follow`, `listening`, `leave`, `end`. */
export class RegisteredServer implements Provider {
  readonly client: Rollcall
  readonly registered: Promise<Registration>
  private readonly own: boolean
  private readonly options: ProviderOptions
  private readonly timing: Timing
  private readonly stop = new AbortController()
  private settle: { resolve(registration: Registration): void; reject(error: unknown): void }
  private registering: Promise<Registration> | undefined
  private leaving: Promise<void> | undefined
  private sockets: OpenSockets | undefined

  constructor(client: Rollcall, own: boolean, options: ProviderOptions, timing: Timing) {
    this.client = client
    this.own = own
    this.options = options
    this.timing = timing
    this.settle = { resolve: () => undefined, reject: () => undefined }
    this.registered = new Promise((resolve, reject) => (this.settle = { resolve, reject }))
    // A rejection that is not awaited is no fault here: `listening` tells the framework.
    this.registered.catch(() => undefined)
  }

  /** Before the server listens: its connections are cut when their time at the end is over. */
  follow(server: Server): void {
    this.sockets ??= new OpenSockets(server)
  }

  /** Registers; resolves and rejects as `registered` does. Repeating it changes nothing. */
  listening(server: Pick<Server, 'address'>): Promise<Registration> {
    this.registering ??= this.register(server)
    this.registering.then(
      (registration) => this.settle.resolve(registration),
      (error: unknown) => this.settle.reject(error),
    )
    return this.registering
  }

  /**
   * Asks consumers to choose others, lets them do so and deregisters. The server must answer meanwhile, and stop
   * afterwards: what it has under way is given its time from then on. Bounded by `settleMs` and two seconds, whatever
   * happens; never rejects; idempotent.
   */
  leave(): Promise<void> {
    this.leaving ??= this.takeBack().then(() => this.limitConnections())
    return this.leaving
  }

  /** The server has stopped: closes the client, unless it is the application's own. */
  async end(): Promise<void> {
    await this.leave()
    if (this.own) await this.client.close()
  }

  private async register(server: Pick<Server, 'address'>): Promise<Registration> {
    const {
      client: _client,
      ready,
      settleMs: _settleMs,
      requestsMs: _requestsMs,
      port = portOf(server),
      ...spec
    } = this.options
    const { signal } = this.stop
    const state = ready === undefined ? 'up' : 'starting'
    const registration = await this.client.register({ ...spec, port, state }, { signal })
    if (ready === undefined) return registration
    try {
      await Promise.race([ready(signal), aborted(signal)])
    } catch (error) {
      await registration.deregister({ signal: this.timing.deadline(TOLD_MS) }).catch(() => undefined)
      throw error
    }
    await this.sayUp(registration, signal)
    return registration
  }

  /** Without a registry it is said as soon as there is one, and the server is ready all the same. */
  private async sayUp(registration: Registration, signal: AbortSignal): Promise<void> {
    if (registration.state === 'pending' || registration.state === 'standby') {
      registration.setState('up', { signal }).catch(() => undefined)
      return
    }
    try {
      const patience = AbortSignal.any([signal, this.timing.deadline(TOLD_MS)])
      await registration.setState('up', { signal: patience })
    } catch (error) {
      if (!isRegistryError(error) || error.code !== 'aborted') throw error
    }
  }

  private async takeBack(): Promise<void> {
    this.stop.abort()
    const registration = await this.registering?.catch(() => undefined)
    if (registration === undefined) return
    // One that stands by is called under the id of another, which stays.
    const told =
      registration.state !== 'standby' &&
      (await registration.drain({ signal: this.timing.deadline(TOLD_MS) }).then(
        () => true,
        () => false,
      ))
    if (told) await this.timing.sleep(this.options.settleMs ?? 1_000)
    // What does not arrive in time is still tried until the client is closed; then the closed session tells.
    await registration.deregister({ signal: this.timing.deadline(TOLD_MS) }).catch(() => undefined)
  }

  private limitConnections(): void {
    const { sockets } = this
    if (sockets === undefined) return
    const over = this.timing.deadline(this.options.requestsMs ?? REQUESTS_MS)
    over.addEventListener('abort', () => sockets.cut(), { once: true })
  }
}

function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address()
  if (typeof address === 'object' && address !== null) return address.port
  const message = `the server listens at ${address ?? 'no address'}, which has no port: name the port that others reach`
  throw new RegistryError('invalid_argument', message, { field: 'port' })
}

/** Rejects when a signal is aborted: work that does not look at it must not hold up the end. */
function aborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    const end = (): void => reject(signal.reason as Error)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  promise.catch(() => undefined)
  return promise
}

/** Begins the life of a server; it is registered once it listens. Rejects for options that cannot work. */
export async function createProvider(
  options: ProviderOptions,
  timing: Timing = SYSTEM_TIMING,
): Promise<RegisteredServer> {
  const { client, own } = await openClient(options.client)
  return new RegisteredServer(client, own, options, timing)
}

/** The client that was given, or one of these options; `own` if it has to be closed. */
export async function openClient(
  given: Rollcall | ConnectOptions,
): Promise<{ readonly client: Rollcall; readonly own: boolean }> {
  return isClient(given) ? { client: given, own: false } : { client: await connect(given), own: true }
}

function isClient(given: Rollcall | ConnectOptions): given is Rollcall {
  return 'service' in given && typeof given.service === 'function'
}
