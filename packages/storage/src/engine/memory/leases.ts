/** What ends keys: leases, which end by the clock unless they are kept alive. */
import type { Clock } from '@rollcall/core'

export interface Lease {
  readonly id: number
  readonly ttlMs: number
  readonly keys: Set<string>
}

interface Running extends Lease {
  endsAt: number
  cancel: () => void
}

/** The leases of a store. While the store is stopped none ends, and none is shorter when it goes on. */
export class Leases {
  private readonly clock: Clock
  private readonly ended: (keys: readonly string[]) => void
  private readonly all = new Map<number, Running>()
  /** Leases of keys that go away by themselves, by their time to live: the one that was granted last. */
  private readonly shared = new Map<number, Running>()
  private last = 0
  private stopped = false

  /** `ended` is told the keys of a lease that is over, in the order in which they came to it. */
  constructor(clock: Clock, ended: (keys: readonly string[]) => void) {
    this.clock = clock
    this.ended = ended
  }

  grant(ttlMs: number): Lease {
    this.last += 1
    return this.begin({ id: this.last, ttlMs, keys: new Set() })
  }

  /** A lease that ends no earlier than after `ttlMs` and no later than after half as long again, for keys of about the same time. */
  share(ttlMs: number): Lease {
    const known = this.shared.get(ttlMs)
    if (known !== undefined && this.all.has(known.id) && known.endsAt >= this.clock.now() + ttlMs)
      return known
    const lease = this.grant(Math.floor(ttlMs * 1.5)) as Running
    this.shared.set(ttlMs, lease)
    return lease
  }

  /** False when the lease is over. */
  keepAlive(id: number): boolean {
    const lease = this.all.get(id)
    if (lease === undefined) return false
    lease.cancel()
    this.begin(lease)
    return true
  }

  /** Ends it now. */
  revoke(id: number): void {
    const lease = this.all.get(id)
    if (lease === undefined) return
    lease.cancel()
    this.all.delete(id)
    this.ended([...lease.keys])
  }

  /** Moves a key from what ended it so far to what ends it from now on. */
  attach(key: string, from: number | undefined, to: Lease | undefined): void {
    if (from !== undefined) this.all.get(from)?.keys.delete(key)
    to?.keys.add(key)
  }

  stop(): void {
    this.stopped = true
    for (const lease of this.all.values()) lease.cancel()
  }

  /** Goes on, with the whole time again for each: no lease was kept alive while none could be. */
  start(): void {
    this.stopped = false
    for (const lease of this.all.values()) this.begin(lease)
  }

  list(): readonly Lease[] {
    return [...this.all.values()].map(({ id, ttlMs, keys }) => ({ id, ttlMs, keys: new Set(keys) }))
  }

  /** Puts these in the place of those that are there. */
  replace(leases: readonly Lease[]): void {
    for (const lease of this.all.values()) lease.cancel()
    this.all.clear()
    this.shared.clear()
    for (const { id, ttlMs, keys } of leases) this.begin({ id, ttlMs, keys: new Set(keys) })
  }

  private begin(lease: Lease): Running {
    const running = lease as Running
    running.endsAt = this.clock.now() + lease.ttlMs
    running.cancel = this.stopped ? () => {} : this.clock.setTimer(lease.ttlMs, () => this.revoke(lease.id))
    this.all.set(lease.id, running)
    return running
  }
}
