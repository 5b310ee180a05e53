/**
 * A node in simulated time: a queue of events instead of timers and sockets, a prober that answers by script,
 * and a transcript of everything the node wrote.
 */
import { EventQueue } from '@rollcall/testkit/time'
import type { ErrorBody, ResolvedRef } from '@rollcall/wire'
import { ANONYMOUS, type Session, type SessionOptions, type Step } from './caller.js'
import type { Answers, CommandKind, CommandOf, RegisterCommand, RemovalLists } from './commands.js'
import { Queries } from './queries.js'
import type { Meter, MetricName } from './metrics.js'
import { RegistryNode } from './node.js'
import { NODE_DEFAULTS, type NodeOptions } from './node-options.js'
import type { HeardRef, JournalEntry, ProbeOutcome, ProbePurpose, ProbeRequest } from './ports.js'
import type { InstanceKey, StoredRecord } from './records/record.js'
import { shownState } from './records/state.js'
import { toInstance, type ViewFacts } from './directory/view.js'
import { type SessionEvidence } from './liveness/evidence.js'
import { LIVENESS_DEFAULTS } from './liveness/options.js'
import { TICK_MS } from './liveness/liveness.js'

/** How the network answers a probe: at once, after a while, or never (the prober then gives up by itself). */
export type Answer = ProbeOutcome | 'silence' | { readonly outcome: ProbeOutcome; readonly afterMs: number }

export interface SimulationOptions extends Partial<Omit<NodeOptions, 'liveness' | 'publisher'>> {
  readonly liveness?: Partial<NodeOptions['liveness']>
  readonly publisher?: Partial<NodeOptions['publisher']>
}

/** Facts of a view whose node is well and whose service lost nothing. */
export const QUIET: ViewFacts = { stale: false, guard: { tripped: false, kept: 0 } }

/** Time at which every simulation starts; not zero, so that no code can rely on it. */
const START_MS = 1_000_000

/** Date at which every simulation starts. */
export const WALL_START = 1_700_000_000_000

/** Judgement without guards: what each rule does by itself. The guards have tests of their own. */
const UNGUARDED: NodeOptions['liveness'] = {
  ...LIVENESS_DEFAULTS,
  watcherBreaker: { ...LIVENESS_DEFAULTS.watcherBreaker, instancesMin: Infinity, refusalsMin: Infinity },
  serviceBreaker: { ...LIVENESS_DEFAULTS.serviceBreaker, enabled: false },
  damping: { ...LIVENESS_DEFAULTS.damping, flips: Infinity },
}

export class Simulation {
  readonly node: RegistryNode
  readonly read: Queries
  /** Everything persisted, in order. */
  readonly entries: JournalEntry[] = []
  /** Every probe asked for. */
  readonly probes: (ProbeRequest & { readonly at: number })[] = []
  /** One line per written record: milliseconds since `mark`, id, shown state, reason of the verdict. */
  readonly transcript: string[] = []
  readonly counted = new Map<string, number>()
  /** How probes are answered; a test changes it when the world changes. */
  network: (request: ProbeRequest) => Answer = () => 'succeeded'
  /** Whether an address may be probed. */
  permits: (host: string) => boolean = () => true
  /** Takes what was heard here to the node that judges; a test connects it. */
  passOn: (judge: string, ref: HeardRef, agoMs: number) => void = () => {}
  /** Takes what consumers could not reach to the node that judges; a test connects it. */
  passUnreachable: (judge: string, refs: readonly HeardRef[]) => void = () => {}
  /** Asks another node to probe; a test connects it. */
  consult: (request: ProbeRequest) => void = () => {}
  private markedAt = START_MS
  private readonly queue = new EventQueue()
  private sessions = 0
  private nextTick = START_MS + TICK_MS
  private inFlight = new Map<string, number>()
  /** Most evidence probes of one instance under way at once. */
  inFlightMax = 0

  constructor(options: SimulationOptions = {}) {
    this.queue.now = START_MS
    const { liveness, publisher, ...others } = options
    this.node = new RegistryNode(
      this.now,
      {
        ...NODE_DEFAULTS,
        nodeId: 'node-1',
        probes: { otherPorts: true, credentials: true },
        ...others,
        liveness: { ...UNGUARDED, ...liveness },
        publisher: { ...NODE_DEFAULTS.publisher, ...publisher },
      },
      {
        persist: (entry) => this.persisted(entry),
        probe: (request) => this.probe(request),
        mayProbe: (host) => this.permits(host),
        passOn: (judge, heard, agoMs) => this.passOn(judge, heard, agoMs),
        passUnreachable: (judge, refs) => this.passUnreachable(judge, refs),
        consult: (request) => this.consult(request),
        meter: this.meter(),
        wallNow: () => WALL_START + this.now - START_MS,
      },
    )
    this.read = new Queries(this.node, () => this.now)
  }

  get now(): number {
    return this.queue.now
  }

  /** A clock that jumps, or a loop that stood still: what was due meanwhile has not run. */
  set now(ms: number) {
    this.queue.now = ms
  }

  /** Forgets the transcript, entries and probes so far; later lines count from here. */
  mark(): void {
    this.transcript.length = 0
    this.entries.length = 0
    this.probes.length = 0
    this.markedAt = this.now
  }

  /** Lets time pass: events in order, a tick every TICK_MS. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      if (this.queue.step(Math.min(this.nextTick, end))) continue
      if (this.nextTick > end) break
      this.node.tick(this.now)
      this.nextTick = this.now + TICK_MS
    }
  }

  /** The loop stands still; afterwards timers run before sockets are read, as Node does it. */
  stall(ms: number): void {
    this.queue.now += ms
    this.node.tick(this.now)
    this.nextTick = this.now + TICK_MS
  }

  /** Does something later, in time with everything else. */
  after(ms: number, run: () => void): void {
    this.queue.after(ms, run)
  }

  /** Does something every `ms`, until the returned function is called. */
  every(ms: number, run: () => void): () => void {
    let going = true
    const again = (): void => {
      if (!going) return
      run()
      this.after(ms, again)
    }
    this.after(ms, again)
    return () => {
      going = false
    }
  }

  /** Does a command on behalf of a caller at `peer`. */
  execute<K extends CommandKind>(asked: CommandOf<K>, peer?: string): Answers[K] | ErrorBody {
    return this.node.execute(asked, this.step(peer))
  }

  /** The same, of a command that is not refused as a whole. */
  done<K extends CommandKind>(asked: CommandOf<K>, peer?: string): Answers[K] {
    const answer = this.execute(asked, peer)
    if ('code' in answer) throw new Error(`${asked.kind} was refused: ${answer.message}`)
    return answer
  }

  register(overrides: Partial<RegisterCommand> = {}, session?: Session): Answers['register'][number] {
    const items = [command(overrides)]
    const [result] = this.node.execute(
      { kind: 'register', items },
      this.step('10.0.0.1', session),
    ) as Answers['register']
    if (result === undefined) throw new Error('a registration is not answered')
    return result
  }

  beat(id = 'a', incarnation?: number): ReturnType<RegistryNode['heard']> {
    return this.node.heard([ref(id, incarnation)], this.now)
  }

  deregister(id = 'a', incarnation?: number, session?: Session): RemovalLists {
    const refs = [ref(id, incarnation)]
    return this.node.execute({ kind: 'deregister', refs }, this.step(undefined, session)) as RemovalLists
  }

  private step(peer?: string, session?: Session): Step {
    const caller = {
      principal: ANONYMOUS,
      ...(peer === undefined ? {} : { peer }),
      ...(session === undefined ? {} : { session }),
    }
    return { caller, now: this.now, wallNow: WALL_START + this.now - START_MS }
  }

  openSession(options: SessionOptions = {}): SessionEvidence {
    return this.node.liveness.openSession(`s${this.sessions++}`, options, {
      now: () => this.now,
      stepped() {},
    })
  }

  /** State and reason as consumers see them; undefined while hidden or unknown. */
  shown(id = 'a'): string | undefined {
    const entry = this.node.directory.entry(keyOf(id))
    const instance = entry === undefined ? undefined : toInstance(entry, this.now)
    return instance === undefined ? undefined : [instance.state, instance.reason].filter(Boolean).join(' ')
  }

  record(id = 'a'): StoredRecord | undefined {
    return this.node.directory.entry(keyOf(id))?.record
  }

  /** Probes asked for since `mark`, as milliseconds since then. */
  asked(purpose: ProbePurpose): number[] {
    return this.probes.filter((probe) => probe.purpose === purpose).map(({ at }) => at - this.markedAt)
  }

  private persisted(entry: JournalEntry): void {
    this.entries.push(entry)
    const at = this.now - this.markedAt
    if (entry.kind === 'forget') this.transcript.push(`${at} ${entry.key.id} forgotten`)
    if (entry.kind !== 'record') return
    const { record } = entry
    this.transcript.push(`${at} ${record.id} ${shownState(record) ?? 'hidden'} ${record.verdict.reason}`)
  }

  private probe(request: ProbeRequest): void {
    this.probes.push({ ...request, at: this.now })
    const name =
      request.purpose === 'evidence' ? `${request.key.id} ${request.incarnation} ${request.port}` : ''
    const open = (this.inFlight.get(name) ?? 0) + 1
    this.inFlight.set(name, open)
    if (name !== '') this.inFlightMax = Math.max(this.inFlightMax, open)
    this.after(request.delayMs, () => {
      const answer = request.type === 'none' ? 'skipped' : this.network(request)
      const { outcome, afterMs } =
        answer === 'silence'
          ? { outcome: 'failed' as const, afterMs: request.timeoutMs }
          : typeof answer === 'string'
            ? { outcome: answer, afterMs: 1 }
            : answer
      this.after(afterMs, () => {
        this.inFlight.set(name, (this.inFlight.get(name) ?? 1) - 1)
        this.node.probed(request, outcome, this.now)
      })
    })
  }

  private meter(): Meter {
    return {
      count: (name: MetricName, by = 1, label = '') => {
        const key = label === '' ? name : `${name} ${label}`
        this.counted.set(key, (this.counted.get(key) ?? 0) + by)
      },
      set() {},
      observe() {},
    }
  }
}

/** Key of an instance of the service every simulation uses. */
export function keyOf(id: string): InstanceKey {
  return { namespace: 'default', service: 'orders', group: 'default', id }
}

export function ref(id: string, incarnation?: number): ResolvedRef {
  return incarnation === undefined ? keyOf(id) : { ...keyOf(id), incarnation }
}

/** A registration with everything filled in; it names no incarnation unless told to. */
export function command(overrides: Partial<RegisterCommand> = {}): RegisterCommand {
  return {
    ...keyOf('a'),
    host: '10.0.0.1',
    port: 3000,
    weight: 100,
    metadata: {},
    intent: 'up',
    leaseMs: 15_000,
    liveness: 'lease',
    ...overrides,
  }
}
