/** What programs see of the world. */
import type { ListChange, MergeMode } from '#client/internal'
import type { Instance, ViewName } from '@rollcall/wire'
import type { Endpoint } from './endpoint.js'
import type { EventQueue } from '@rollcall/testkit/time'
import type { Network } from './network.js'
import type { SimProcess } from './process.js'
import type { SimRegistry } from './registry.js'
import type { Program } from '../programs/program.js'
import type { SdkProgram } from '../programs/sdk-program.js'

/** What programs see of the world they run in. */
export interface Surroundings {
  readonly queue: EventQueue
  readonly network: Network
  /** The nodes of each cluster. */
  readonly clusters: readonly (readonly SimRegistry[])[]
  /** The node of the first cluster that serves the next request of a host. */
  balanced(host: string): SimRegistry
  readonly merge: MergeMode
  /** A line of the transcript; built only when it is read. */
  note(actor: string, text: () => string): void
  /** Something failed that nothing waits for. */
  failed(error: unknown): void
  /** Instances of a process that died or hangs. */
  bury(process: SimProcess, endpoints: readonly Endpoint[], hung: boolean): void
  /** It goes on. */
  exhume(endpoints: readonly Endpoint[]): void
  /** It runs anew. */
  revive(endpoint: Endpoint): void
  /** A program shows another list. */
  listed(program: SdkProgram, name: ViewName, change: ListChange): void
  /** A program lost its connection to the registry, or gave it up. */
  disconnected(program: SdkProgram, cluster: number, reason: string): void
  /** A call of a program found no process at the port of an instance. */
  refused(program: SdkProgram, instance: Instance): void
  /** A program has left in order, so long after it began to; `known`: endpoints that everybody knew then. */
  left(program: Program, known: readonly Endpoint[], ms: number): void
  /** Whether the process that listens there hangs. */
  hangs(host: string, port: number): boolean
}

/** How long a living instance may take, undisturbed, until everybody knows it: a few failed attempts to connect. */
export const RECOVERY_MS = 20_000

/**
 * The same when its id is held by its own predecessor first: the longest lease and a probe until that one is doubted,
 * then a slow retry, by chance up to 20 % later.
 */
export const CONFLICT_MS = 75_000

/** The same after another caller deregistered it: the hold-off, by chance up to 20 % longer. */
export const HOLD_OFF_MS = 90_000
