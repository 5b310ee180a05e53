/** Registers a Fastify server while it listens, and takes it back before it stops. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Provider, ProviderOptions } from '../provider.js'
import { createProvider } from '../provider.js'

export type { Provider, ProviderOptions } from '../provider.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The client for calls to others, and the registration of this server. */
    readonly rollcall: Provider
  }
}

/** What Fastify adds to every instance for its own boot sequence; not in its types. */
interface Closable {
  readonly onClose?: (callback: () => Promise<void>) => void
}

/**
 * The plugin: `await fastify.register(rollcall, { client: …, service: 'orders' })`. Decorates the instance it is
 * registered on, and all below it, with `rollcall`. Registers the server when it listens; if that fails it is
 * logged, the server goes on, and `fastify.rollcall.registered` rejects. `fastify.close()` leaves the registry while
 * calls are still answered, before anything else happens.
 */
export const rollcall: FastifyPluginAsync<ProviderOptions> = Object.assign(attach, {
  // What `fastify-plugin` sets: the decoration is for the instance itself, not for a child of it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'rollcall',
})

async function attach(fastify: FastifyInstance, options: ProviderOptions): Promise<void> {
  const provider = await createProvider(options)
  provider.follow(fastify.server)
  fastify.decorate('rollcall', provider)
  fastify.addHook('onClose', () => provider.end())
  fastify.addHook('onListen', async () => {
    try {
      await provider.listening(fastify.server)
    } catch (error) {
      fastify.log.error(error, 'not registered')
    }
  })
  fastify.addHook('onReady', async () => leaveFirst(fastify, () => provider.leave()))
}

/**
 * From the first thing that `close()` does, Fastify answers 503 to calls that consumers send until they know.
 * Its own closing is in the queue of closing functions once the instance is ready, and the last one added is
 * the first one run.
 */
function leaveFirst(fastify: FastifyInstance & Closable, leave: () => Promise<void>): void {
  if (fastify.onClose === undefined) throw new Error('this version of Fastify is not supported')
  fastify.onClose(leave)
}
