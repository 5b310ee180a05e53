/** A stream session on a stage: what it does to the registry, and what it says to its client, on record. */
import {
  ANONYMOUS,
  type Caller,
  type CommandKind,
  type CommandOf,
  type Done,
  NO_LOGGER,
  NO_METER,
  type Queries,
  type Registry,
  type SessionOptions,
  type Subscriber,
  type Update,
  type WatchCommand,
} from '@rollcall/core'
import { EMPTY_SIGN, RegistryError, type ServerMessage, type View } from '@rollcall/wire'
import { ViewBodies } from '../../http/view-bodies.js'
import { HandClock } from '@rollcall/testkit/time'
import { resolveOptions } from '../options.js'
import { createStreamSession, type StreamSession } from './session.js'

export const SIGN: string = '0123456789abcdef'
export const update: Update = {
  kind: 'delta',
  seq: 1,
  delta: { namespace: 'default', service: 's', from: EMPTY_SIGN, to: SIGN, upserts: [], removes: [] },
}

/** What the session did to the registry, and what it said and did to the client. */
export class Scene {
  readonly clock: HandClock = new HandClock()
  readonly calls: string[] = []
  readonly sent: ServerMessage[] = []
  readonly pushed: Update[] = []
  readonly noted: string[] = []
  closed: [number, string] | undefined
  settled = 0
  ready = true
  nodes: readonly string[] | undefined
  watchFails = false
  opened: SessionOptions | undefined
  subscriber: Subscriber | undefined
  registering: (() => void)[] = []
  readonly session: StreamSession

  constructor() {
    this.session = createStreamSession(
      {
        registry: this.registry(),
        clock: this.clock,
        logger: NO_LOGGER,
        meter: NO_METER,
        refusals: { note: (error) => void this.noted.push(error.code) },
        node: {
          id: 'n1',
          cluster: 'c',
          readiness: () => (this.ready ? { ready: true } : { ready: false, reason: 'loading' }),
          nodes: () => this.nodes ?? [],
        },
        views: new ViewBodies(this.clock, 0),
      },
      resolveOptions({}),
      {
        send: (message) => void this.sent.push(message),
        sendFound: (view, req) =>
          void this.sent.push({
            type: 'found',
            view: JSON.parse(String(view)) as View,
            ...(req === undefined ? {} : { req }),
          }),
        push: (publication) => void this.pushed.push(publication),
        close: (code, reason) => (this.closed = [code, reason]),
        settled: () => void this.settled++,
      },
      { principal: ANONYMOUS, peer: '10.0.0.9' },
    )
  }

  private registry(): Registry {
    const note = (call: string) => (): void => void this.calls.push(call)
    const keys = (items: readonly WatchCommand[]): string =>
      items.map(({ service, sign }) => service + (sign ?? '')).join()
    const registry: Partial<Registry> = {
      openSession: (options, caller) => {
        this.opened = options
        this.calls.push(`open ${caller.peer}`)
        return { id: 's1', heard: note('heard'), close: note('close session'), moved: note('session moved') }
      },
      subscribe: (subscriber) => {
        this.subscriber = subscriber
        return {
          watch: (items) => {
            if (this.watchFails) throw new RegistryError('limit_exceeded', 'full')
            this.calls.push(`watch ${keys(items)}`)
            subscriber.deliver(update)
            return items.flatMap(({ namespace, service, byParts }) =>
              byParts === true ? [{ namespace, service, parts: 64 }] : [],
            )
          },
          unwatch: (items) => void this.calls.push(`unwatch ${keys(items)}`),
          resync: (items) => void this.calls.push(`resync ${keys(items)}`),
          ack: (seq) => void this.calls.push(`ack ${seq}`),
          stalled: note('stalled'),
          drained: note('drained'),
          close: note('close subscription'),
        }
      },
      execute: <K extends CommandKind>(command: CommandOf<K>, caller: Caller) =>
        new Promise<Done<K>>((resolve) => {
          const items = 'items' in command ? command.items : []
          this.calls.push(`register ${items.map(({ id }) => id).join()} by ${caller.session?.id}`)
          const answer = items.map(({ service, group, id }) => ({
            ok: true as const,
            service,
            group,
            id,
            incarnation: 1,
          }))
          const done: Done<'register'> = { answer, durability: 'disk' }
          this.registering.push(() => resolve(done as Done<K>))
        }),
      report: (report, caller) => {
        const refs = report.kind === 'unreachable' ? report.refs : []
        const named = refs.map(({ id, incarnation }) => `${id}${incarnation}`).join()
        this.calls.push(`hint ${named} by ${caller.peer}`)
      },
      read: () => queries as Queries,
    }
    const queries: Partial<Queries> = {
      settled: (names, seq = 7) => ({
        settled: names.every(({ service, group }) => service === 's' && group !== 'busy'),
        seq,
      }),
      compareSigns: (items) => ({
        changed: items.map(({ namespace, service }) => ({ namespace, service, sign: EMPTY_SIGN })),
      }),
      knows: () => false,
      namesake: () => undefined,
      health: () => ({ stale: false, island: true }),
    }
    return registry as Registry
  }

  hello(): this {
    this.session.receive({ type: 'hello', req: 1, client: 'test' })
    return this
  }

  /** The answer to a request. */
  ask(message: object): ServerMessage | undefined {
    this.session.receive(message)
    return this.sent.at(-1)
  }
}
