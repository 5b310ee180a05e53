/** A registry with its rules, in a test's hands: its clock moves and its probes are answered when the test says so. */
import {
  ANONYMOUS,
  type Caller,
  type JournalEntry,
  NO_LOGGER,
  NODE_DEFAULTS,
  type ProbeOutcome,
  type ProbeRequest,
  Queries,
  type Registry,
  RegistryNode,
  TICK_MS,
} from '@rollcall/core'
import { HandClock, settle } from '@rollcall/testkit/time'
import { createAgenda } from './agenda.js'
import { Changes } from './changes.js'
import { Checks } from './checks.js'
import { readService } from './codec.js'
import { type Key, keyOf, toCommand, toShown } from './mapping.js'
import type { ServiceDefinition } from './definitions.js'

export const PEER: Caller = { principal: ANONYMOUS, peer: '10.0.0.1', via: 'consul' }

/** A node, and the adapter's part of it that lasts. */
export class HandRegistry {
  readonly clock: HandClock
  readonly node: RegistryNode
  readonly read: Queries
  readonly door: Registry
  readonly changes: Changes
  readonly checks: Checks
  /** How checks of endpoints are answered. */
  network: (request: ProbeRequest) => readonly [ProbeOutcome, string?] = () => ['succeeded']
  /** How long they take. */
  answerMs = 1
  private readonly listeners = new Set<() => void>()
  private told = 0

  /** `stored`: what an earlier boot wrote; `nodeId` and `clock`: of one of several nodes. */
  constructor(
    stored: Iterable<JournalEntry> = [],
    nodeId = 'node-1',
    clock: HandClock = new HandClock(1_000_000),
  ) {
    this.clock = clock
    this.node = new RegistryNode(
      clock.now(),
      { ...NODE_DEFAULTS, nodeId, probes: { otherPorts: true, credentials: true } },
      {
        persist: () => {},
        probe: (request) => clock.setTimer(request.delayMs, () => this.answer(request)),
        wallNow: () => clock.wallNow(),
      },
    )
    this.read = new Queries(this.node, () => clock.now())
    this.node.load(stored, clock.now())
    this.door = this.createDoor()
    this.changes = new Changes({ registry: this.door, clock })
    this.checks = new Checks({
      registry: this.door,
      clock,
      random: () => 0.5,
      logger: NO_LOGGER,
      agenda: createAgenda(clock),
    })
    this.changes.start(this.checks)
  }

  private answer(request: ProbeRequest): void {
    this.node.probed(request, this.network(request)[0], this.clock.now())
  }

  private createDoor(): Registry {
    const { node, clock, read } = this
    return {
      execute: (command, caller) => {
        const answer = node.execute(command, { caller, now: clock.now(), wallNow: clock.wallNow() })
        if ('code' in answer) throw new Error(answer.message)
        this.tell()
        return Promise.resolve({ answer, durability: 'memory' as const }) as never
      },
      heard: (refs) => {
        const heard = node.heard(refs, clock.now())
        this.tell()
        return heard
      },
      report: (report) => {
        if (report.kind === 'unreachable') node.unreachable(report.refs, clock.now())
      },
      ask: (request, answered) =>
        void clock.setTimer(this.answerMs, () => {
          const [outcome, cause] = this.network(request)
          node.witnessed(request, outcome, this.answerMs, clock.now())
          this.tell()
          answered(outcome, cause)
        }),
      read: () => read,
      follow: (listener) => {
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      },
      wait: () => unused(),
      openSession: () => unused(),
      subscribe: () => unused(),
    }
  }

  private tell(): void {
    const { newest } = this.node.events
    if (newest === this.told) return
    this.told = newest
    for (const listener of [...this.listeners]) listener()
  }

  /** Registers a body of a client. */
  async register(body: object): Promise<ServiceDefinition> {
    const definition = readService(body, '10.0.0.1')
    const { answer } = await this.door.execute({ kind: 'register', items: [toCommand(definition)] }, PEER)
    const [result] = answer
    if (result === undefined || !result.ok) throw new Error(result?.error.message)
    this.checks.noted(keyOf(definition))
    return definition
  }

  /** The word of a client on a check. */
  async beat(checkId: string, status: 'passing' | 'warning' | 'critical' = 'passing'): Promise<boolean> {
    const entry = this.checks.book.byCheck(checkId)
    const run = entry?.runs.get(checkId)
    if (entry === undefined || run === undefined) return false
    return this.checks.beat(entry, run, status, '')
  }

  /** Moves on in ticks, with other nodes that share the clock. */
  async pass(ms: number, ...others: readonly HandRegistry[]): Promise<void> {
    for (const end = this.clock.now() + ms; this.clock.now() < end;) {
      this.clock.advance(Math.min(TICK_MS, end - this.clock.now()))
      for (const each of [this, ...others]) each.tick()
      await settle()
    }
  }

  private tick(): void {
    this.node.tick(this.clock.now())
    this.tell()
  }

  /** Takes in what another node has, as the engine would bring it. */
  learn(other: HandRegistry): void {
    this.node.learn([...other.node.snapshot()].filter(isLearnable), this.clock.now())
    this.tell()
  }

  /** Judges an instance whose judge is lost. */
  adopt(key: Key): void {
    const entry = this.node.directory.entry(key)
    const now = this.clock.now()
    if (entry !== undefined) this.node.liveness.adopt(entry, this.node.liveness.judgedTime(now), now)
    this.tell()
  }

  /** The statuses of the checks of a service's instances, by check. */
  statuses(service: string): Readonly<Record<string, string>> {
    const view = this.read.capture({ namespace: 'default', service })
    const found: Record<string, string> = {}
    for (let place = 0; place < view.size; place++) {
      const { namespace, group, id } = view.instance(place)
      const offer = this.read.offer({ namespace, service, group, id })
      if (offer === undefined) continue
      for (const check of toShown(offer).checks) found[check.id] = check.status
    }
    return found
  }

  /** How the service is seen natively. */
  states(service: string): readonly string[] {
    const view = this.read.capture({ namespace: 'default', service })
    return Array.from({ length: view.size }, (_, place) => view.instance(place).state)
  }
}

/** What nodes tell each other of what the journal holds. */
function isLearnable(entry: JournalEntry): entry is Exclude<JournalEntry, { kind: 'epoch' | 'forget' }> {
  return entry.kind !== 'epoch' && entry.kind !== 'forget'
}

function unused(): never {
  throw new Error('not used here')
}
