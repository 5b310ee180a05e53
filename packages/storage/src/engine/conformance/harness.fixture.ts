/** How the suite of every engine gets at one: nodes connected to a store of their own, and the hand on all that can fail. */
import type { ClusterCharter, Clock, EngineEntry, EnginePort, EngineWritten } from '@rollcall/core'
import { Follower } from './follower.fixture.js'

/** The connection of one node. */
export interface NodeUnderTest {
  readonly engine: EnginePort
  readonly line: LineUnderTest
}

/** What can happen to the connection of a node; nothing of it is seen by the others. */
export interface LineUnderTest {
  /** Nothing gets through in either direction, and no end of the connection is seen. */
  cut(): void
  heal(): void
  /** The connection breaks. Another one can be made, but for a cut. */
  reset(): void
  /** From now on what is asked arrives, and what is answered is lost. `heal` ends it. */
  loseAnswers(): void
  /** How much longer each message takes. */
  delay(ms: number): void
}

/** What can happen to the store. It is the same for all that are connected. */
export interface StoreUnderTest {
  /** All members end at once, with what they have acknowledged on their disks. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Forgets what was before the present revision. */
  compact(): Promise<void>
  /** Everything is gone. */
  wipe(): Promise<void>
  /** Resolves to what puts the store back to this moment. */
  backup(): Promise<() => Promise<void>>
  /** From now on nothing more fits in. */
  fill(): Promise<void>
  free(): Promise<void>
}

export interface EngineHarness {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>
  readonly store: StoreUnderTest
  /** Another node. Nothing is in the store, or nothing that it can see. */
  connect(): Promise<NodeUnderTest>
  /** Ends everything that is connected. */
  close(): Promise<void>
}

/** What an implementation is and takes. */
export interface EngineTraits {
  /** As `status` says it. */
  readonly kind: string
  /** So many keys are more than one page. */
  readonly pageKeys: number
  /** Time to live of held keys, as short as the engine takes it. */
  readonly holdMs: number
  /** Time to live of keys that go away by themselves. */
  readonly ttlMs: number
  /** How late the end of a time to live may be. */
  readonly lateMs: number
  /** By then an operation has ended, and a watch that can go on does so. */
  readonly deadlineMs: number
}

/** What nodes agree on in all tests. */
export const CHARTER: ClusterCharter = { cluster: 'shop', format: 1, epoch: 'e1', secret: 's1' }

/** One test at its work. */
export class Scene implements AsyncDisposable {
  readonly harness: EngineHarness
  readonly traits: EngineTraits
  private readonly followers: Follower[] = []

  constructor(harness: EngineHarness, traits: EngineTraits) {
    this.harness = harness
    this.traits = traits
  }

  get store(): StoreUnderTest {
    return this.harness.store
  }

  /** A node that has joined. */
  async node(): Promise<NodeUnderTest> {
    const node = await this.harness.connect()
    await node.engine.join(CHARTER)
    return node
  }

  now(): number {
    return this.harness.clock.now()
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.harness.clock.setTimer(ms, resolve))
  }

  /** Waits for what must come, as long as it takes on a busy machine. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const end = this.now() + PATIENCE_MS
    while (!isSo()) {
      if (this.now() > end) throw new Error(`still waiting for: ${what}`)
      await this.sleep(20)
    }
  }

  /** Loads and follows what comes after. */
  async follow(engine: EnginePort): Promise<Follower> {
    const entries: EngineEntry[] = []
    const revision = await engine.load((page) => void entries.push(...page))
    return this.watch(engine, revision, entries)
  }

  /** Follows what comes after a revision. */
  watch(engine: EnginePort, revision: number, entries: readonly EngineEntry[] = []): Follower {
    const follower = new Follower(engine, revision, entries)
    this.followers.push(follower)
    return follower
  }

  /** What no watch must do, and one did. */
  get faults(): readonly string[] {
    return this.followers.flatMap(({ faults }) => faults)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.harness.close()
  }
}

const PATIENCE_MS = 60_000

/** Writes one key; the outcome. */
export async function put(
  engine: EnginePort,
  key: string,
  value: string,
  expected = 0,
): Promise<EngineWritten> {
  const [written] = await engine.write(CHARTER.epoch, [{ key, value, expected }])
  return written as EngineWritten
}

/** Writes one key that must be writable; its revision. */
export async function putRevision(
  engine: EnginePort,
  key: string,
  value: string,
  expected = 0,
): Promise<number> {
  const written = await put(engine, key, value, expected)
  if (!written.ok) throw new Error(`${key} cannot be written: ${JSON.stringify(written.stored)}`)
  return written.revision
}

/** Everything that a load tells. */
export async function loadAll(engine: EnginePort): Promise<readonly EngineEntry[]> {
  const entries: EngineEntry[] = []
  await engine.load((page) => void entries.push(...page))
  return entries
}

/** How a promise ends: the failure of an EngineError, the name of another error, or `done`. */
export function outcomeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: Error & { readonly failure?: string }) => error.failure ?? error.name,
  )
}
