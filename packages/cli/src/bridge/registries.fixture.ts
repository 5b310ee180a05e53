/** A registry in memory as a side of a bridge: leases, restarts that forget or not, outages. */
import { RegistryError } from '@rollcall/wire'
import { unmarked, readMark, marked } from './mark.js'
import type { SideListing, MirroredInstance, SeenInstance } from './records.js'
import type { Side } from './side.js'

const LEASE_MS = 60_000

interface Stored {
  readonly seen: SeenInstance
  /** Infinity for what is at home. */
  endsAt: number
}

export class FakeRegistry implements Side {
  readonly kind: string
  readonly forgets: boolean
  readonly renewMs = 15_000
  away = false
  stale = false
  /** Everything that was ever deregistered by a bridge. */
  readonly removals: string[] = []
  private readonly now: () => number
  private readonly stored = new Map<string, Stored>()

  constructor(kind: string, now: () => number, forgets = false) {
    this.kind = kind
    this.now = now
    this.forgets = forgets
  }

  /** An application registers, and renews for ever. */
  home(seen: SeenInstance): void {
    this.stored.set(seen.id, { seen, endsAt: Infinity })
  }

  leave(id: string): void {
    this.stored.delete(id)
  }

  clear(): void {
    this.stored.clear()
  }

  all(): readonly SeenInstance[] {
    for (const [id, { endsAt }] of this.stored) if (endsAt <= this.now()) this.stored.delete(id)
    return [...this.stored.values()].map(({ seen }) => seen)
  }

  mirrors(): readonly SeenInstance[] {
    return this.all().filter(({ mark }) => mark !== undefined)
  }

  fit(seen: SeenInstance): SeenInstance {
    return seen
  }

  list(): Promise<SideListing> {
    return this.answer(() => ({ instances: this.all(), unreadable: 0, stale: this.stale }))
  }

  register(
    items: readonly MirroredInstance[],
    _late: () => boolean,
    done: Parameters<Side['register']>[2],
  ): Promise<void> {
    return this.answer(() => {
      for (const mirror of items) {
        // Stored as metadata, as real ones do.
        const metadata = marked(mirror)
        const mark = readMark(metadata)
        const seen = { ...mirror, metadata: unmarked(metadata), ...(mark === undefined ? {} : { mark }) }
        this.stored.set(mirror.id, { seen, endsAt: this.now() + LEASE_MS })
        done(mirror, 'done')
      }
    })
  }

  renew(
    items: readonly MirroredInstance[],
    _late: () => boolean,
    done: Parameters<Side['renew']>[2],
  ): Promise<void> {
    return this.answer(() => {
      this.all()
      for (const mirror of items) {
        const stored = this.stored.get(mirror.id)
        if (stored !== undefined) stored.endsAt = this.now() + LEASE_MS
        done(mirror, stored === undefined ? 'unknown' : 'done')
      }
    })
  }

  remove(
    items: readonly MirroredInstance[],
    _late: () => boolean,
    done: Parameters<Side['remove']>[2],
  ): Promise<void> {
    return this.answer(() => {
      for (const mirror of items) {
        this.removals.push(mirror.id)
        this.stored.delete(mirror.id)
        done(mirror, 'done')
      }
    })
  }

  private answer<T>(what: () => T): Promise<T> {
    if (this.away) return Promise.reject(new RegistryError('unreachable', `${this.kind} is away`))
    return Promise.resolve(what())
  }
}

/** An instance at home in a registry. */
export function instance(n: number, more: Partial<SeenInstance> = {}): SeenInstance {
  return {
    id: `i${n}`,
    service: `service-${n % 3}`,
    host: `10.0.0.${n}`,
    port: 8_080,
    metadata: {},
    standing: 'up',
    ...more,
  }
}
