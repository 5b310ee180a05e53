/** The registry: a node with simulated clock, journal and network. */
import {
  type JournalEntry,
  type Logger,
  LIVENESS_DEFAULTS,
  type LivenessOptions,
  NO_METER,
  NO_REFUSALS,
  NODE_DEFAULTS,
  type NodeOptions,
  type ProbeOutcome,
  type ProbeRequest,
  type Queries,
  type Registry,
  type Update,
} from '@rollcall/core'
import {
  createMoves,
  createStreamSession,
  type MovedStream,
  type Moves,
  resolveOptions,
  pushPayload,
  ViewBodies,
  type StreamSession,
} from '@rollcall/protocols/native'
import { createNodeDriver, type Member, type NodeDriver } from '@rollcall/server'
import { LIMITS, type ServerMessage } from '@rollcall/wire'
import { callerAt, ONLOOKER } from './callers.js'
import type { SimEngine } from './engine.js'
import type { SimJournal } from './journal.js'
import { createMembership } from './membership.js'
import type { Network, PortState } from './network.js'
import type { SimProcess } from './process.js'
import type { Chance } from './random.js'
import type { Sabotage } from './sabotage.js'
import type { StreamEnd } from './stream.js'
import { Trouble } from './trouble.js'
import { witnessed, type Witness } from './witness.js'

/** Where the node listens. */
export const REGISTRY_PORT = 7400

/** Unread bytes beyond which a subscriber counts as slow: small, so that short stalls do it. */
const BUFFER_BYTES_MAX = 4_096

/** A subscriber may be slow for this long. */
const STALLED_MS_MAX = 60_000

/** A stream of a client, as it may be moved. */
interface SimStream extends MovedStream {
  readonly session: StreamSession
}

/** What a simulated node is made of. */
export interface RegistryDeps {
  /** Number of its cluster. */
  readonly cluster: number
  readonly process: SimProcess
  readonly network: Network
  readonly journal: SimJournal
  readonly trouble: Trouble
  readonly logger: Logger
  readonly witness: Witness
  /** Makes changes to a node before it loads: planted bugs. */
  readonly sabotage?: Sabotage['node'] | undefined
  readonly liveness?: Partial<LivenessOptions>
  readonly historyBytesMax?: number
  /** What joins it with others; undefined for a node by itself. */
  readonly engine?: SimEngine | undefined
  readonly chance: Chance
}

const OUTCOMES: Readonly<Record<PortState, ProbeOutcome>> = {
  accepts: 'succeeded',
  refuses: 'refused',
  silent: 'failed',
}

/** A registry node as a process: the real driver and the real stream sessions on simulated ports. */
export class SimRegistry {
  readonly cluster: number
  readonly process: SimProcess
  readonly journal: SimJournal
  readonly trouble: Trouble
  /** What keeps it from its peers or from their engine. */
  readonly apart: Trouble = new Trouble()
  /** Hosts cannot reach it: it hears none of them. */
  readonly deaf: Trouble = new Trouble()
  /** It does not hear all of its peers, or they do not hear it: beats that come to the wrong node stay there. */
  readonly unlinked: Trouble = new Trouble()
  /** How often another one took its place. */
  renamed = 0
  /** It is being stopped in order. */
  stopping = false
  member: Member | undefined
  /** The node that runs, or ran last. */
  driver: NodeDriver | undefined
  api: Registry | undefined
  readonly streams: Set<SimStream> = new Set()
  private readonly deps: RegistryDeps
  private readonly texts = new WeakMap<Update, string>()
  private readonly views: ViewBodies
  private moves: Moves | undefined

  constructor(deps: RegistryDeps) {
    this.deps = deps
    this.cluster = deps.cluster
    this.process = deps.process
    this.views = new ViewBodies(deps.process.clock, resolveOptions({}).viewCacheBytesMax)
    this.journal = deps.journal
    this.trouble = deps.trouble
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: this.process.host, port: REGISTRY_PORT }
  }

  /** What an operator calls it. */
  get name(): string {
    return `${this.process.name}${'+'.repeat(this.renamed)}`
  }

  /** Unique per boot. */
  get nodeId(): string {
    return `${this.name}.${String(this.process.life).padStart(4, '0')}`
  }

  /** Whether it should be asked, as it says itself. */
  get ready(): boolean {
    return this.driver?.readiness().ready === true
  }

  private get ownAddress(): string {
    const { host, port } = this.address
    return `${host}:${port}`
  }

  /** What the node shows at present; undefined while it does not run. */
  get shown(): Queries | undefined {
    const readiness = this.driver?.readiness()
    // What it has loaded of its journal it shows only once it knows the engine.
    if (readiness?.ready === false && readiness.reason === 'loading') return undefined
    return this.api?.read(ONLOOKER)
  }

  /** Starts the process and serves. */
  boot(): void {
    const { process, network, journal, witness, sabotage } = this.deps
    process.start()
    const prober = {
      probe: (request: ProbeRequest, callback: (outcome: ProbeOutcome) => void) =>
        this.probe(request, callback),
    }
    const driver = createNodeDriver(
      {
        clock: process.clock,
        prober,
        meter: NO_METER,
        ...(this.deps.engine && { effects: this.peerEffects() }),
      },
      this.nodeOptions(this.nodeId),
    )
    this.driver = driver
    this.moves = createMoves(process.clock, this.streams)
    this.stopping = false
    this.member = this.join(driver)
    sabotage?.(driver, this.member)
    driver.attach(journal.open(process, () => driver.snapshot()))
    if (this.member !== undefined) driver.attach(this.member.sink, { behind: true })
    const entries: readonly JournalEntry[] = journal.durable
    driver.load(entries)
    this.api = witnessed(driver, journal, witness)
    witness.booted(entries)
    driver.start()
    this.member?.start()
    network.listen(REGISTRY_PORT, { process, accept: (end, peer) => this.accept(end, peer) })
  }

  /** kill -9, or the power goes. */
  crash(): void {
    this.process.kill()
    this.deps.network.ended(this.process)
    this.journal.crash()
    this.gone()
  }

  /** An orderly stop, in the steps of the composition root; `then` runs when the process is gone. */
  stop(then: () => void): void {
    const { process, network, journal } = this.deps
    const { driver } = this
    if (driver === undefined || !process.alive) return then()
    const { member } = this
    this.stopping = true
    driver.stop()
    member?.stop()
    const elsewhere = member?.offered.filter((address) => address !== this.ownAddress)
    this.moves?.goaway('stopping', 250, elsewhere)
    process.clock.setTimer(250, () => {
      network.unlisten(process, REGISTRY_PORT)
      for (const end of network.ends) {
        if (end.process !== process || !end.open) continue
        end.close(1001, 'stopping')
        end.listener?.closed(1001, 'stopping')
      }
      const end = (): void => {
        driver.close()
        journal.close(driver.snapshot())
        process.kill()
        network.ended(process)
        this.gone()
        then()
      }
      process.clock.setTimer(20, () => {
        const { life } = process
        if (member === undefined) return end()
        const left = (): void => {
          if (process.life === life) end()
        }
        void member.close().then(left)
      })
    })
  }

  /** What the rules of the node say to its peers, as the composition root has it. */
  private peerEffects(): Member['effects'] {
    return {
      tookOver: (record) => this.member?.effects.tookOver(record),
      passOn: (judge, ref, agoMs) => this.member?.effects.passOn(judge, ref, agoMs),
      passUnreachable: (judge, refs) => this.member?.effects.passUnreachable(judge, refs),
      consult: (request) => this.member?.effects.consult(request),
    }
  }

  /** Joins it with its peers, if it has any. */
  private join(driver: NodeDriver): Member | undefined {
    const { engine, process, network, logger, chance } = this.deps
    return (
      engine &&
      createMembership({
        process,
        network,
        engine,
        chance: chance.fork(process.life),
        logger,
        driver,
        node: this.nodeId,
        name: this.name,
        address: this.ownAddress,
        probe: (request, callback) => this.probe(request, callback),
        clients: {
          sessions: () => this.streams.size,
          nodesChanged: () => this.moves?.nodesChanged(),
          rebalance: (count, to) => this.moves?.rebalance(count, to),
        },
      })
    )
  }

  private gone(): void {
    this.streams.clear()
    this.moves = undefined
    this.driver?.close()
    this.driver = undefined
    this.member = undefined
    this.api = undefined
    this.deps.witness.ended()
  }

  private nodeOptions(nodeId: string): NodeOptions {
    const { liveness, historyBytesMax } = this.deps
    return {
      ...NODE_DEFAULTS,
      nodeId,
      joined: this.deps.engine !== undefined,
      limits: LIMITS,
      liveness: { ...LIVENESS_DEFAULTS, ...liveness },
      ...(historyBytesMax === undefined ? {} : { historyBytesMax }),
    }
  }

  private accept(end: StreamEnd, peer: string): void {
    const { process, logger } = this.deps
    const { api } = this
    if (api === undefined) return end.close(1001, 'stopping')
    let stalled = false
    let cancelExpiry = (): void => {}
    const write = (text: string): void => {
      end.send(text)
      if (stalled || end.unreadBytes <= BUFFER_BYTES_MAX) return
      stalled = true
      cancelExpiry = process.clock.setTimer(STALLED_MS_MAX, () => end.close(undefined, 'too slow'))
      session.stalled()
    }
    const session = createStreamSession(
      {
        registry: api,
        clock: process.clock,
        logger,
        meter: NO_METER,
        refusals: NO_REFUSALS,
        node: {
          id: process.name,
          cluster: 'simulated',
          readiness: () => this.driver?.readiness() ?? { ready: false, reason: 'closed' },
          nodes: () => this.member?.offered ?? [],
        },
        views: this.views,
      },
      resolveOptions({}),
      {
        send: (message: ServerMessage) => write(JSON.stringify(message)),
        sendFound: (view, req) =>
          write(JSON.stringify({ type: 'found', view: JSON.parse(String(view)) as unknown, req })),
        push: (update: Update) => write(this.textOf(update)),
        close: (code, reason) => {
          end.close(code, reason)
          this.streams.delete(stream)
        },
        settled() {},
      },
      callerAt(peer),
    )
    const stream: SimStream = { session }
    this.streams.add(stream)
    end.listener = {
      message: (text) => session.receive(JSON.parse(text)),
      closed: (code, reason) => {
        cancelExpiry()
        this.streams.delete(stream)
        session.end(code === 1000 ? reason : undefined)
      },
      drained: () => {
        if (!stalled) return
        stalled = false
        cancelExpiry()
        session.drained()
      },
    }
    end.accepted()
  }

  /** Encoded once for all subscribers, as the real shell does. */
  private textOf(update: Update): string {
    let text = this.texts.get(update)
    if (text === undefined) {
      text = pushPayload(update).toString()
      this.texts.set(update, text)
    }
    return text
  }

  private probe(request: ProbeRequest, callback: (outcome: ProbeOutcome) => void): void {
    const { process, network } = this.deps
    const { life } = process
    const spreadMs = request.purpose === 'baseline' ? 100 : 0
    process.clock.setTimer(request.delayMs + spreadMs, () => {
      if (request.type === 'none') return callback('skipped')
      network.knock(process.host, request.host, request.port, request.timeoutMs, (state) => {
        if (process.life === life) process.deliver(() => callback(OUTCOMES[state]))
      })
    })
  }
}
