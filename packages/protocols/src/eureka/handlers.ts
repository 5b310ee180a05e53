/** Answers each operation: what is asked goes to the copy of the registry, what changes it to the registry itself. */
import type { Caller, Clock, Queries, Registry } from '@rollcall/core'
import { DEFAULTS } from '@rollcall/wire'
import { NamespaceReader } from '../foreign/namespace-reader.js'
import { Chunks } from '../http/chunks.js'
import type { Exchange } from '../http/exchange.js'
import { whenMade, type Later } from '../http/in-order.js'
import { requireLoaded, type NodeLife } from '../http/loaded.js'
import { Applications, type Held } from './applications.js'
import {
  acceptedFormat,
  acceptsGzip,
  decodeInstance,
  encodeInstance,
  type Format,
  formatOf,
  MEDIA_TYPES,
} from './codec.js'
import { EurekaCommands } from './commands.js'
import { PROTOCOL } from './document.js'
import { askRegistry } from './leases.js'
import { Lists, type Written } from './lists.js'
import { appName } from './mapping.js'
import type { EurekaOptions } from './options.js'
import type { EurekaAsked, EurekaChange, EurekaLookup } from './paths.js'
import { Renewals } from './renewals.js'
import { Repeated } from './repeated.js'
import { statusOf } from './server-status.js'

export interface EurekaHandlersDeps {
  readonly registry: Pick<Registry, 'execute' | 'heard' | 'read'>
  readonly node: NodeLife
  readonly clock: Clock
  /** What the registry is read by for all callers. */
  readonly reader: Caller
}

export class EurekaHandlers {
  private readonly deps: EurekaHandlersDeps
  private readonly bodyBytesMax: number
  private readonly applications: Applications
  private readonly reader: NamespaceReader
  private readonly lists: Lists
  private readonly renewals: Renewals
  private readonly commands: EurekaCommands
  /** Readings of the headers that clients send over and over. */
  private readonly formats = new Repeated(acceptedFormat)
  private readonly encodings = new Repeated(acceptsGzip)

  constructor(deps: EurekaHandlersDeps, options: Required<EurekaOptions>) {
    const { clock, registry, reader } = deps
    this.deps = deps
    this.bodyBytesMax = options.bodyBytesMax
    const time = { now: () => clock.now(), wallNow: () => clock.wallNow() }
    const leases = askRegistry(() => registry.read(reader))
    this.applications = new Applications({ ...time, leases }, options.deltaMs)
    const { applications } = this
    this.reader = new NamespaceReader(
      { clock, read: () => registry.read(reader) },
      DEFAULTS.namespace,
      applications,
    )
    this.lists = new Lists({ clock, applications }, options)
    this.renewals = new Renewals(clock)
    this.commands = new EurekaCommands(
      { registry, applications, renewals: this.renewals, wallNow: time.wallNow },
      options,
    )
  }

  /** Answers a request, now or later. */
  answer(exchange: Exchange, { operation, query }: EurekaAsked): void | Promise<void> {
    const caller: Caller = { ...exchange.caller, via: PROTOCOL }
    switch (operation.kind) {
      case 'register':
        return this.register(exchange, operation.app, caller)
      case 'renew':
        return exchange.empty(this.commands.renew({ app: operation.app, id: operation.id, query, caller }))
      case 'cancel':
      case 'putStatus':
      case 'deleteStatus':
      case 'putMetadata':
        return this.change(exchange, operation, query, caller)
      default:
        return this.lookup(exchange, operation, caller)
    }
  }

  close(): void {
    this.lists.close()
  }

  private register(exchange: Exchange, app: string, caller: Caller): void {
    const format = formatOf(exchange.headers.contentType)
    exchange.rawBody(
      { is: () => format !== undefined, words: 'an instance is needed, as JSON or XML' },
      async (bytes) => {
        await this.commands.register(app, decodeInstance(bytes, format ?? 'json'), caller)
        exchange.empty(204)
      },
      this.bodyBytesMax,
    )
  }

  private async change(
    exchange: Exchange,
    { kind, app, id }: EurekaChange,
    query: EurekaAsked['query'],
    caller: Caller,
  ): Promise<void> {
    exchange.empty(await this.commands[kind]({ app, id, query, caller }))
  }

  private lookup(exchange: Exchange, operation: EurekaLookup, caller: Caller): void | Promise<void> {
    const format = this.formats.of(exchange.headers.accept ?? '')
    if (format === undefined) return exchange.empty(406)
    const read = this.deps.registry.read(caller)
    requireLoaded(this.deps.node)
    return whenMade(this.reader.current(), () => {
      if (isList(operation) && this.isUnopened(read)) return exchange.empty(403)
      const found = this.find(operation, format, read)
      if (found === undefined) return exchange.empty(404)
      return whenMade(found, (written) => this.send(exchange, written, format, isSingle(operation)))
    })
  }

  /** Clients keep what they have upon 403: an empty list would take all they know from them. */
  private isUnopened(read: Queries): boolean {
    return this.applications.isEmpty && read.isStale()
  }

  private find(operation: EurekaLookup, format: Format, read: Queries): Later<Written> | undefined {
    const { applications, lists } = this
    switch (operation.kind) {
      case 'all':
        return lists.all(format)
      case 'delta':
        return lists.delta(format)
      case 'application':
        return lists.application(operation.app, format)
      case 'instance':
        return this.single(applications.instance(appName(operation.app), operation.id), format)
      case 'anywhere':
        return this.single(applications.anywhere(operation.id), format)
      case 'vip':
      case 'secureVip':
        return lists.vip(operation.vip, operation.kind === 'secureVip', format)
      default:
        return singleOf(statusOf(applications, this.renewals, read, format))
    }
  }

  private single(held: Held | undefined, format: Format): Written | undefined {
    if (held === undefined) return undefined
    return singleOf(encodeInstance(this.applications.shown(held), format))
  }

  private send(exchange: Exchange, written: Written, format: Format, single: boolean): void | Promise<void> {
    const type = MEDIA_TYPES[format]
    // As by Eureka's own server: a single instance is never compressed.
    if (single || !this.encodings.of(exchange.headers.acceptEncoding ?? ''))
      return exchange.bytes(200, type, written.body)
    return whenMade(Lists.zipped(written), (zipped) => exchange.bytes(200, type, zipped, 'gzip'))
  }
}

function singleOf(text: string): Written {
  return { body: new Chunks([Buffer.from(text)]) }
}

function isList({ kind }: EurekaLookup): boolean {
  return kind === 'all' || kind === 'delta' || kind === 'vip' || kind === 'secureVip'
}

function isSingle({ kind }: EurekaLookup): boolean {
  return kind === 'instance' || kind === 'anywhere' || kind === 'status'
}
