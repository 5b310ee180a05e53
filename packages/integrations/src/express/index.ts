/** Registers an `http.Server`, of Express or of anything else that handles its requests, and shuts it down gracefully. */
import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import type { ListenOptions } from 'node:net'
import type { Rollcall, Registration } from '@rollcall/client'
import type { Provider, ProviderOptions, RegisteredServer } from '../provider.js'
import { createProvider } from '../provider.js'

export type { Provider, ProviderOptions } from '../provider.js'

/** How an application is served. */
export interface ServeOptions extends ProviderOptions {
  /** Where to listen, if not simply on `port` of all addresses (default 0, any free one). With a `path`, `port` is needed. */
  readonly listen?: ListenOptions
  /** Signals that close it, such as `SIGTERM`. Default none: the application decides. */
  readonly signals?: readonly NodeJS.Signals[]
}

/** An application that is served. */
export interface Served extends Provider {
  readonly server: Server
  /**
   * Leaves the registry while calls are still answered, then stops accepting, finishes what is under way and
   * closes the client if it is its own. Idempotent.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves an application (an Express app, or any request listener) or a server of one's own that does not listen
 * yet. Resolves when it is registered and ready, or with a registration that is `pending` when no registry
 * answers; rejects, with everything closed again, when listening, `ready` or the registration fails.
 */
export async function serve(app: RequestListener | Server, options: ServeOptions): Promise<Served> {
  const { listen, signals, ...rest } = options
  const server = typeof app === 'function' ? createServer(app) : app
  const provider = await createProvider(rest)
  const served = new ServedApplication(server, provider)
  provider.follow(server)
  try {
    // Rejects on `error`.
    const listening = once(server, 'listening')
    // Node prefers a port over a path, and would open one to everybody.
    server.listen(listen?.path === undefined ? { port: options.port ?? 0, ...listen } : listen)
    await listening
    for (const signal of signals ?? []) served.closeOn(signal)
    await provider.listening(server)
  } catch (error) {
    await served.close()
    throw error
  }
  return served
}

class ServedApplication implements Served {
  readonly server: Server
  private readonly provider: RegisteredServer
  private readonly handlers = new Map<NodeJS.Signals, () => void>()
  private closing: Promise<void> | undefined

  constructor(server: Server, provider: RegisteredServer) {
    this.server = server
    this.provider = provider
  }

  get client(): Rollcall {
    return this.provider.client
  }

  get registered(): Promise<Registration> {
    return this.provider.registered
  }

  closeOn(signal: NodeJS.Signals): void {
    const handler = (): void => void this.close()
    this.handlers.set(signal, handler)
    process.once(signal, handler)
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shutDown(): Promise<void> {
    const { server, provider } = this
    // Connections that stay open between requests would otherwise keep the server from closing.
    server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'))
    await provider.leave()
    if (server.listening) await this.stopServer()
    await provider.end()
    for (const [signal, handler] of this.handlers) process.off(signal, handler)
  }

  private async stopServer(): Promise<void> {
    const { server } = this
    const closed = once(server, 'close')
    server.close()
    server.closeIdleConnections()
    await closed
  }
}
