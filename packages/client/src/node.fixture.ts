/** A registry node for a client without sockets. */
import type { ClientMessage, ErrorCode, RegisterRequest, ServerMessage } from '@rollcall/wire'
import type { Connection, ConnectionListener, Transport } from './shell/transport.js'

/** A node that accepts whatever it is told. */
export class Node implements Transport {
  listener: ConnectionListener | undefined
  readonly heard: string[] = []
  readonly registered: RegisterRequest['instances'][number][] = []
  refuse: string | undefined
  /** The other end of its connections. */
  reachedFrom = '10.9.9.9'
  code: ErrorCode = 'service_not_allowed'

  dial(_url: string, listener: ConnectionListener): Connection {
    this.listener = listener
    queueMicrotask(() => listener.opened(this.reachedFrom))
    return {
      send: (message: ClientMessage) => {
        this.heard.push(message.type)
        if (message.type === 'register') this.registered.push(...message.instances)
        const answer = this.answer(message)
        if (answer !== undefined) queueMicrotask(() => listener.message(answer))
      },
      close: () => void this.heard.push('close'),
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** The connection breaks; the next one is accepted. */
  hangUp(): void {
    this.listener?.closed(undefined, 'lost')
  }

  say(message: ServerMessage): void {
    this.listener?.message(message)
  }

  private answer(message: ClientMessage): ServerMessage | undefined {
    if (message.type !== 'hello' && message.type !== 'deregister' && message.type !== 'register')
      return undefined
    const req = message.req ?? 0
    if (message.type === 'hello') {
      return {
        type: 'welcome',
        node: 'n',
        cluster: 'c',
        pingMs: 3_000,
        frameBytesMax: 1e6,
        batchItemsMax: 1e4,
        island: false,
      }
    }
    if (message.type === 'deregister')
      return { type: 'deregistered', req, removed: [], unknown: [], superseded: [], durability: 'memory' }
    const { refuse } = this
    return {
      type: 'registered',
      req,
      results: message.instances.map(({ service, id = '', incarnation = 0 }) =>
        refuse === undefined
          ? { ok: true, service, group: 'default', id, incarnation, durability: 'memory' }
          : { ok: false, error: { code: this.code, message: refuse } },
      ),
    }
  }
}
