import type { Instance } from '@rollcall/wire'
import { DEFAULTS } from '@rollcall/wire'
import type { Incarnations } from '../incarnation.js'
import type { OverlayOptions } from '../overlay/overlay.js'
import { OVERLAY_DEFAULTS } from '../overlay/overlay.js'
import type { Random } from '../random.js'

/** Times and bounds of the machine. */
export interface MachineTimes {
  /** A connection must be welcomed within this. 3 s: one lost SYN and its retransmission fit. */
  readonly dialTimeoutMs: number
  /** Shortest wait between attempts after the first free round over all nodes. */
  readonly retryMsMin: number
  /** Longest wait. 5 s: a returned registry has everybody back in a few seconds. */
  readonly retryMsMax: number
  /** A connection that lived this long was sound: its loss is followed by an attempt at once. */
  readonly stableMs: number
  /** Received nothing for this many `pingMs`: the stream is dead. 3: two lost pongs are bad luck. */
  readonly silencePings: number
  /** All signs are compared this often, ±20 %. Watches lie sometimes. */
  readonly compareMs: number
  /** Publications somebody may wait for (a provider drains or left) are acknowledged within this. */
  readonly ackMs: number
  /** All others within this: each acknowledgement is a message the node has to read. */
  readonly ackIdleMs: number
  /** On first use of a service the registry has this long before the snapshot answers. */
  readonly headStartMs: number
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
  /** A preferred cluster is returned to when it was usable for this long. 10 s: a registry that flaps moves nobody. */
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

/** Everything the machine needs to know at its start. */
export interface MachineSettings {
  /** Name of the cluster. Default `default`. */
  readonly cluster: string
  /** This machine is one of several: it tells where its lists stand, and others choose. Default false. */
  readonly part: boolean
  /** Stream URLs of the nodes of one cluster; may be empty. */
  readonly urls: readonly string[]
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
  readonly overlay: OverlayOptions
  /** Most services watched; more are refused with `limit_exceeded`. */
  readonly watchesMax: number
}

/** Settings with all defaults. */
export function machineSettings(
  given: Partial<Omit<MachineSettings, 'times'>> &
    Pick<MachineSettings, 'urls' | 'random' | 'incarnations'> & { readonly times?: Partial<MachineTimes> },
): MachineSettings {
  return {
    namespace: DEFAULTS.namespace,
    cluster: 'default',
    part: false,
    agent: 'rollcall-client',
    statics: new Map(),
    snapshots: false,
    overlay: OVERLAY_DEFAULTS,
    watchesMax: 10_000,
    ...given,
    times: { ...TIMES, ...given.times },
  }
}
