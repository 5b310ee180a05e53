/** What the machine is made with, and the times by which it lives. */
import type { Instance } from '@rollcall/wire'
import { DEFAULTS } from '@rollcall/wire'
import type { Incarnations } from './incarnation.js'
import type { Random } from './ports.js'

/** Times and bounds of the machine. */
export interface MachineTimes {
  /**
   * A connection must be welcomed within this. 3 s: one lost SYN and its retransmission fit. After a round over all nodes without
   * an answer twice as long, up to four times.
   */
  readonly dialTimeoutMs: number
  /** Shortest wait between attempts after the first free round over all nodes. */
  readonly retryMsMin: number
  /** Longest wait. 5 s: a returned registry has all its clients back in a few seconds. */
  readonly retryMsMax: number
  /** A connection that lived this long was sound: its loss is followed by an attempt at once. */
  readonly stableMs: number
  /** Received nothing for this many `pingMs`: the stream is dead. 3: two lost pongs are bad luck. */
  readonly silencePings: number
  /** All signs are compared this often, ±20 %. Watches lie sometimes. */
  readonly compareMs: number
  /** Publications that a provider may wait for (a provider drains or left) are acknowledged within this. */
  readonly ackMs: number
  /** All others within this: each acknowledgement is a message the node has to read. */
  readonly ackIdleMs: number
  /** On first use of a service the registry has this long before the snapshot answers. */
  readonly headStartMs: number
  /**
   * A call to a service whose last instance was deregistered fails after this, from the call on. 500 ms: it left for good, and
   * callers that wait would only pile up. Longer where deployments stop the old before they start the new.
   */
  readonly deregisteredWaitMs: number
  /** `register()` resolves as pending after this long without any registry. */
  readonly pendingMs: number
  /** Deregistered by others: registered anew after this. 60 s: an operator's removal should be visible as one. */
  readonly holdOffMs: number
  /** Retry of a registration whose id is taken or that is refused. */
  readonly conflictMs: number
  /** An unanswered request is sent again after this. */
  readonly requestTimeoutMs: number
  /** Between two looks for a node that is not an island. */
  readonly islandRetryMs: number
  /** Failed calls to one instance are told to the registry at most this often. 2 s: it asks within one. */
  readonly hintMs: number
  /** A list is saved this long after it changed. */
  readonly saveMs: number
  /** A list that shrank by silence is saved after all when it stayed so. 10 min, as long as a node may doubt. */
  readonly shrunkMs: number
  /** A preferred cluster is returned to when it was usable for this long. 10 s: a registry that flaps moves no calls. */
  readonly failBackMs: number
  /** `close()`: longest time for consumers to see the draining before the deregistration. */
  readonly settleMs: number
  /** `close()`: a node is asked this often whether all of them have. */
  readonly settlePollMs: number
  /** `close()`: when they have, calls that were already on their way have this long to arrive. */
  readonly lingerMs: number
  /** `close()` is over after this, whatever happened. */
  readonly closeMs: number
}

/** Defaults of MachineTimes. */
export const TIMES: MachineTimes = {
  dialTimeoutMs: 3_000,
  retryMsMin: 100,
  retryMsMax: 5_000,
  stableMs: 5_000,
  silencePings: 3,
  compareMs: 30_000,
  ackMs: 50,
  ackIdleMs: 1_000,
  headStartMs: 300,
  deregisteredWaitMs: 500,
  pendingMs: 3_000,
  holdOffMs: 60_000,
  conflictMs: 30_000,
  requestTimeoutMs: 10_000,
  islandRetryMs: 30_000,
  hintMs: 2_000,
  saveMs: 1_000,
  shrunkMs: 600_000,
  failBackMs: 10_000,
  settleMs: 1_000,
  settlePollMs: 50,
  lingerMs: 100,
  closeMs: 5_000,
}

/** How instances that failed here are treated. */
export interface EjectionOptions {
  /** First time out. 1 s: about what the registry needs to learn of a dead process. */
  readonly ejectMsMin: number
  /** Longest time out; each failed trial doubles it. 30 s: a dead address costs two attempts a minute. */
  readonly ejectMsMax: number
  /**
   * Timeouts and failures in a row that eject. 3: one may be the fault of the request. A broken connection
   * ejects at once: calls in flight together would fail together otherwise.
   */
  readonly failuresMax: number
  /** A trial call without a report is over after this, and another may begin. */
  readonly trialMs: number
  /** An instance out after this many failures in a row is hopeless: calls that have no other are limited. */
  readonly hopelessFailures: number
}

/** How long and how many of the missing are kept. */
export interface ShrinkGuardOptions {
  /**
   * A healthy registry that has not known an instance for this long is believed. 10 min, as long as a node may
   * doubt what it hears, and a shrunk list waits for its snapshot.
   */
  readonly keptMs: number
  /** Most instances kept per list; beyond it the oldest go. */
  readonly keptMax: number
}

/** What this client thinks of instances by itself: of those that failed here, and of those that vanished. */
export interface ChoiceOptions extends EjectionOptions, ShrinkGuardOptions {}

/** Defaults of ChoiceOptions. */
export const CHOICE_DEFAULTS: ChoiceOptions = {
  ejectMsMin: 1_000,
  ejectMsMax: 30_000,
  failuresMax: 3,
  trialMs: 5_000,
  hopelessFailures: 5,
  keptMs: 600_000,
  keptMax: 10_000,
}

/** Everything the machine needs to know at its start. */
export interface MachineSettings {
  /** Name of the cluster. Default `default`. */
  readonly cluster: string
  /** Stream URLs of the nodes of one cluster; may be empty. */
  readonly urls: readonly string[]
  /** Whether nodes that the cluster names are used beside those. */
  readonly learnNodes: boolean
  readonly namespace: string
  /** Name and version for the node's logs. */
  readonly agent: string
  readonly random: Random
  readonly incarnations: Incarnations
  /** Static lists by view key (`viewKey`). */
  readonly statics: ReadonlyMap<string, readonly Instance[]>
  /** Whether there are snapshots to load and save. */
  readonly snapshots: boolean
  readonly times: MachineTimes
  readonly choice: ChoiceOptions
}

/** Settings with all defaults. */
export function machineSettings(
  given: Partial<Omit<MachineSettings, 'times'>> &
    Pick<MachineSettings, 'urls' | 'random' | 'incarnations'> & { readonly times?: Partial<MachineTimes> },
): MachineSettings {
  return {
    namespace: DEFAULTS.namespace,
    cluster: 'default',
    learnNodes: true,
    agent: 'rollcall-client',
    statics: new Map(),
    snapshots: false,
    choice: CHOICE_DEFAULTS,
    ...given,
    times: { ...TIMES, ...given.times },
  }
}
