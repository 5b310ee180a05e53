/**
 * The engine: the distributed store that joins the nodes of a cluster. It holds texts under keys, each with the revision of
 * its last change, in one order for all nodes. It knows nothing of records: what is written is decided by `replica.ts`.
 */

/** A key as the engine holds it. */
export interface EngineEntry {
  readonly key: string
  readonly value: string
  /** Revision of the last change of this key; revisions of one engine grow. */
  readonly revision: number
}

/** A key without its value. */
export type EngineKey = Omit<EngineEntry, 'value'>

/** What happened to a key, in the order of revisions. */
export type EngineEvent =
  | ({ readonly kind: 'put' } & EngineEntry)
  /** It was deleted, or its time was over. */
  | ({ readonly kind: 'delete' } & EngineKey)

/** A write that is done only if no other one of its key was done since. */
export interface EngineWrite {
  readonly key: string
  readonly value: string
  /** The revision at which the writer knows the key; 0: the key must not be there. */
  readonly expected: number
  /**
   * The key goes away by itself, no earlier than this long after the write and at most half as long again after that. Keys of
   * about the same time share what ends them. Without it a key stays; a later write without it makes the key stay.
   */
  readonly ttlMs?: number
}

/** How a write ended. A refused one tells what is there instead; undefined: nothing is. */
export type EngineWritten =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly stored: EngineEntry | undefined }

/** What all nodes of a cluster agree on: it stands in the engine, created by the first node that finds nothing. */
export interface ClusterCharter {
  /** Name of the cluster, as each of its nodes is told. */
  readonly cluster: string
  /** Version of the format of everything else; nodes of another major format do not join. */
  readonly format: number
  /** New whenever the engine begins with nothing. */
  readonly epoch: string
  /** By this nodes know each other; it stands nowhere else. */
  readonly secret: string
}

/** Why the engine did not do what it was asked. */
export type EngineFailure =
  /** No answer in time, no leader, no connection: may be done or not; try again. */
  | 'unavailable'
  /** History from that revision on is no longer there: load again. */
  | 'compacted'
  /** Another charter stands in the engine, or none, or a smaller revision: join again. */
  | 'epoch'
  /** The cluster there has another name or format: an operator must act. */
  | 'incompatible'
  /** User, password or certificate is not accepted. */
  | 'refused'
  /** The store is full (etcd: quota alarm): reads go on, writes do not. */
  | 'full'

/** The error of every operation of an engine. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly failure: EngineFailure

  constructor(failure: EngineFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}

/** Follows what happens after a revision. Calls come in order, never while another one runs. */
export interface EngineWatcher {
  /** Everything of one or several whole revisions, the last of which is `revision`. */
  changed(events: readonly EngineEvent[], revision: number): void
  /** Everything up to this revision was told, and the connection is alive. Comes at least every few seconds. */
  progressed(revision: number): void
  /** The watch is over, and why. Never called after `close`. */
  ended(error: EngineError): void
}

/** Something that goes on until it is closed. Idempotent. */
export interface EngineSubscription {
  close(): void
}

/** The key of a node, which vanishes when the node is gone: `key` is held while the engine hears this node. */
export interface NodeLease {
  readonly key: string
  readonly value: string
  /** How long the key outlives the node. */
  readonly ttlMs: number
}

export interface NodeLeaseListener {
  /** The engine has heard this node, and the key stands. Comes at least three times per `ttlMs` while all is well. */
  kept(): void
  /** The key is gone, or may be: it is made anew by itself, and `kept` tells when. */
  lost(error: EngineError): void
}

/** How the engine does, for people. */
export interface EngineStatus {
  /** What it is, such as `etcd` or `memory`. */
  readonly kind: string
  readonly endpoints: readonly string[]
  /** Version of the server that was asked last, if it said so. */
  readonly version?: string
  /** What it complains of, such as `NOSPACE`. */
  readonly alarms: readonly string[]
}

/** Every operation ends by itself within a deadline, and rejects with EngineError; `close` rejects what is under way. */
export interface EnginePort {
  /** Reads the charter; writes the offered one where there is none. Rejects with `incompatible` for another name or format. */
  join(offer: ClusterCharter): Promise<ClusterCharter>
  /** Reads everything but the charter as of one revision, page by page, and resolves with that revision. */
  load(page: (entries: readonly EngineEntry[]) => void): Promise<number>
  /** The same without the values. */
  scan(page: (keys: readonly EngineKey[]) => void): Promise<number>
  /** Reads some keys, at most `ENGINE_LIMITS.writesMax` of them, as they are now. */
  read(keys: readonly string[]): Promise<readonly EngineEntry[]>
  /** Tells everything that happens after `revision`. */
  watch(revision: number, watcher: EngineWatcher): EngineSubscription
  /**
   * Does each write that nothing speaks against, in any order, and resolves with the outcomes in the order of the writes.
   * Rejects as a whole with `epoch` where another charter stands; `unavailable` and `full` leave it open which were done.
   * At most `ENGINE_LIMITS.writesMax` writes of `ENGINE_LIMITS.bytesMax` together.
   */
  write(epoch: string, writes: readonly EngineWrite[]): Promise<readonly EngineWritten[]>
  /** Holds a key for as long as this node is heard. */
  hold(lease: NodeLease, listener: NodeLeaseListener): EngineSubscription
  status(): EngineStatus
  /** Lets go of everything; held keys vanish at once where the engine can be reached. Idempotent. */
  close(): Promise<void>
}

/** How much may be written at once: the limits with which etcd is installed. */
export const ENGINE_LIMITS = {
  /** etcd takes 128 operations; one of them compares the epoch. */
  writesMax: 127,
  /** Keys and values together; etcd takes 1.5 MiB. */
  bytesMax: 1_048_576,
} as const
