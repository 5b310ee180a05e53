import type { RegistryError, ViewName } from '@rollcall/wire'
import { RegistryError as RegistryFailure } from '@rollcall/wire'
import { earliest } from '../machine/deadlines.js'
import type { ClientEvent, ListChange, Turn } from '../machine/events.js'
import type { MachineSettings } from '../machine/settings.js'
import type { WatchStatus } from '../machine/status.js'
import { viewKey } from '../machine/watch.js'
import type { Standing } from '../overlay/overlay.js'
import type { Reach } from './reach.js'
import { MergedWatch } from './merged-watch.js'

type Event<T extends ClientEvent['type']> = Extract<ClientEvent, { readonly type: T }>

/** Everything that is watched over several clusters, and which of it has to be looked at. */
export class MergedWatches {
  private readonly settings: MachineSettings
  private readonly reach: Reach
  private readonly clusters: readonly string[]
  private readonly byKey = new Map<string, MergedWatch>()
  private readonly dirty = new Set<MergedWatch>()
  /** Nothing is due before this; it may be too early, never too late. */
  private dueAt: number | undefined

  constructor(settings: MachineSettings, reach: Reach, clusters: readonly string[]) {
    this.settings = settings
    this.reach = reach
    this.clusters = clusters
  }

  get(key: string): MergedWatch | undefined {
    return this.byKey.get(key)
  }

  status(now: number): readonly WatchStatus[] {
    return [...this.byKey.values()].map((watch) => watch.status(now))
  }

  /** Watches views; those that are watched already, and those beyond the bound, are left out. Returns the new ones by cluster. */
  add(turn: Turn, event: Event<'watch'>): ReadonlyMap<string, readonly ViewName[]> {
    const { clusters = this.clusters, merge = 'union' } = event
    const names = event.names.filter((name) => !this.byKey.has(viewKey(name)))
    const room = Math.max(0, this.settings.watchesMax - this.byKey.size)
    const watched = [...new Map(names.map((name) => [viewKey(name), name])).values()].slice(0, room)
    for (const name of watched) {
      const watch = new MergedWatch(turn, this.settings, this.reach, { name, clusters, merge })
      this.byKey.set(watch.key, watch)
      this.dirty.add(watch)
    }
    return new Map(clusters.map((cluster) => [cluster, watched]))
  }

  ready(turn: Turn, { key, token, timeoutMs }: Event<'ready'>): void {
    const { watchesMax } = this.settings
    const error = new RegistryFailure('limit_exceeded', `more than ${watchesMax} services are watched`)
    if (!this.byKey.has(key)) turn.emit({ type: 'reject', token, error })
    this.on(key, (watch) => watch.ready(turn, token, timeoutMs))
  }

  /** What came of calls. */
  called({ now }: Turn, event: Event<'failed' | 'trying' | 'succeeded'>): void {
    const { key, instance } = event
    const watch = this.byKey.get(key)
    if (watch === undefined) return
    if (event.type === 'failed') watch.failed(now, instance, event.kind ?? 'unreachable')
    else if (event.type === 'trying') watch.trying(now, instance)
    else if (!watch.succeeded(instance)) return
    this.dirty.add(watch)
  }

  changed(cluster: string, key: string, change: ListChange): void {
    this.byKey.get(key)?.changed(cluster, change)
  }

  stood(cluster: string, key: string, standing: Standing): void {
    const watch = this.byKey.get(key)
    if (watch?.stood(cluster, standing) === true) this.dirty.add(watch)
  }

  /** The connection to a cluster is gone. */
  lost({ now }: Turn, cluster: string): void {
    for (const watch of this.byKey.values()) if (watch.lost(now, cluster)) this.dirty.add(watch)
  }

  /** Who waits may have nothing to wait for any more. */
  reachChanged(): void {
    for (const watch of this.byKey.values()) if (watch.waiting) this.dirty.add(watch)
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const watch of this.byKey.values()) watch.cancel(turn, error)
  }

  step(turn: Turn): void {
    if (this.dueAt !== undefined && turn.now >= this.dueAt) {
      this.dueAt = undefined
      for (const watch of this.byKey.values()) {
        const due = watch.deadline()
        if (due !== undefined && due <= turn.now) this.dirty.add(watch)
        else this.dueAt = earliest(this.dueAt, due)
      }
    }
    for (const watch of this.dirty) {
      watch.step(turn)
      this.dueAt = earliest(this.dueAt, watch.deadline())
    }
    this.dirty.clear()
  }

  deadline(): number | undefined {
    return this.dueAt
  }

  private on(key: string, run: (watch: MergedWatch) => void): void {
    const watch = this.byKey.get(key)
    if (watch === undefined) return
    run(watch)
    this.dirty.add(watch)
  }
}
