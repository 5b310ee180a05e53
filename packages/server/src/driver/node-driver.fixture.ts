/** A driver in a test's hands: its clock, its journal and its prober do nothing by themselves. */
import { HandClock } from '@rollcall/testkit/time'
import {
  ANONYMOUS,
  type Caller,
  type JournalEntry,
  type JournalPort,
  NODE_DEFAULTS,
  NO_METER,
  type NodeOptions,
  type ProbeOutcome,
  type ProbeRequest,
  type RegisterCommand,
  type Session,
} from '@rollcall/core'
import type { Durability, RegisterResult, ViewName } from '@rollcall/wire'
import { createNodeDriver, type NodeDriver } from './node-driver.js'

/** The view most tests look at. */
export const ORDERS: ViewName = { namespace: 'default', service: 'orders' }
/** Where registrations come from. */
export const PEER: Caller = { principal: ANONYMOUS, peer: '10.0.0.1' }

/** A caller that speaks over a session. */
export function over(session: Session): Caller {
  return { principal: ANONYMOUS, session }
}

/** A journal whose commits end when a test says so. An empty append asks for the present state. */
export class HandJournal implements JournalPort {
  readonly entries: JournalEntry[] = []
  private readonly open: ((durability: Durability) => void)[] = []
  durability: Durability = 'disk'
  manual = false
  closed = false
  appends = 0

  append(entries: readonly JournalEntry[]): Promise<Durability> {
    if (this.closed) return Promise.reject(new Error('the journal is closed'))
    if (entries.length === 0) return Promise.resolve(this.durability)
    this.appends++
    this.entries.push(...entries)
    return this.manual ? new Promise((resolve) => this.open.push(resolve)) : Promise.resolve(this.durability)
  }

  commit(durability: Durability = this.durability): void {
    this.open.shift()?.(durability)
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

/** A registration with everything filled in. */
export function command(overrides: Partial<RegisterCommand> = {}): RegisterCommand {
  return {
    ...ORDERS,
    group: 'default',
    id: 'a',
    host: '10.0.0.1',
    port: 3000,
    weight: 100,
    metadata: {},
    intent: 'up',
    leaseMs: 15_000,
    liveness: 'lease',
    incarnation: 1,
    ...overrides,
  }
}

/** A driver with everything around it in a test's hands. */
export interface Setting {
  readonly driver: NodeDriver
  readonly clock: HandClock
  readonly journal: HandJournal
  readonly probes: { readonly request: ProbeRequest; readonly answer: (outcome: ProbeOutcome) => void }[]
}

/** A driver that has loaded the entries, has its journal, and was started. */
export function setUp(options: Partial<NodeOptions> = {}, entries: JournalEntry[] = []): Setting {
  const clock = new HandClock(5_000)
  const journal = new HandJournal()
  const probes: Setting['probes'] = []
  const driver = createNodeDriver(
    {
      clock,
      meter: NO_METER,
      prober: { probe: (request, answer) => probes.push({ request, answer }) },
    },
    { ...NODE_DEFAULTS, nodeId: 'n1', ...options },
  )
  driver.load(entries)
  driver.attach(journal)
  driver.start()
  return { driver, clock, journal, probes }
}

/** Registers, and puts how durable that is to each result, as adapters do. */
export async function register(
  driver: NodeDriver,
  items: readonly RegisterCommand[],
  caller: Caller,
  need?: Durability,
): Promise<readonly RegisterResult[]> {
  const { answer, durability } = await driver.execute({ kind: 'register', items }, caller, need)
  return answer.map((result) => (result.ok ? { ...result, durability } : result))
}

/** Whether a promise is still pending once everything that can happen without time has happened. */
export async function pending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  return !settled
}
