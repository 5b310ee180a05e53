/** The watched services of a client. */
import type { RegistryError, ViewName } from '@rollcall/wire'
import { RegistryError as RegistryFailure } from '@rollcall/wire'
import { earliest } from '../machine/deadlines.js'
import type { ClusterEffect } from '../cluster/events.js'
import type { ClientEvent, Turn } from '../machine/events.js'
import type { MachineSettings } from '../machine/settings.js'
import type { WatchStatus } from '../machine/status.js'
import type { Reach } from './reach.js'
import { WatchedList } from './watched-list.js'
import { viewKey } from '../machine/keys.js'

type Told = Extract<ClusterEffect, { readonly type: 'list' }>
type Event<T extends ClientEvent['type']> = Extract<ClientEvent, { readonly type: T }>

/** Everything that is watched, and which of it has to be looked at. */
export class WatchedLists {
  private readonly settings: MachineSettings
  private readonly reach: Reach
  private readonly clusters: readonly string[]
  private readonly byKey = new Map<string, WatchedList>()
  private readonly dirty = new Set<WatchedList>()
  /** Nothing is due before this; it may be too early, never too late. */
  private dueAt: number | undefined

  constructor(settings: MachineSettings, reach: Reach, clusters: readonly string[]) {
    this.settings = settings
    this.reach = reach
    this.clusters = clusters
  }

  get(key: string): WatchedList | undefined {
    return this.byKey.get(key)
  }

  status(now: number): readonly WatchStatus[] {
    return [...this.byKey.values()].map((list) => list.status(now))
  }

  /** Watches views; those that are watched already are left out. Returns the new ones by cluster. */
  add(turn: Turn, event: Event<'watch'>): ReadonlyMap<string, readonly ViewName[]> {
    const { clusters = this.clusters, merge = 'union' } = event
    const names = event.names.filter((name) => !this.byKey.has(viewKey(name)))
    const watched = [...new Map(names.map((name) => [viewKey(name), name])).values()]
    for (const name of watched) {
      const list = new WatchedList(turn, this.settings, this.reach, { name, clusters, merge })
      this.byKey.set(list.key, list)
      this.dirty.add(list)
    }
    return new Map(clusters.map((cluster) => [cluster, watched]))
  }

  /** Gives a list back, and rejects what waits for it. Returns the clusters that were asked for it. */
  remove(turn: Turn, key: string, error: RegistryError): readonly string[] {
    const list = this.byKey.get(key)
    if (list === undefined) return []
    list.cancel(turn, error)
    this.byKey.delete(key)
    this.dirty.delete(list)
    return list.clusters
  }

  ready(turn: Turn, { key, token, timeoutMs, call = false }: Event<'ready'>): void {
    const list = this.byKey.get(key)
    if (list === undefined) {
      const error = new RegistryFailure('closed', 'this service is not watched any more')
      return turn.emit({ type: 'reject', token, error })
    }
    list.ready(turn, token, timeoutMs, call)
    this.dirty.add(list)
  }

  /** What came of calls. */
  called({ now }: Turn, event: Event<'failed' | 'trying' | 'succeeded'>): void {
    const { key, instance } = event
    const list = this.byKey.get(key)
    if (list === undefined) return
    if (event.type === 'failed') list.failed(now, instance, event.kind ?? 'unreachable')
    else if (event.type === 'trying') list.trying(now, instance)
    else if (!list.succeeded(instance)) return
    this.dirty.add(list)
  }

  /** Where the list of a cluster stands now. */
  told(turn: Turn, cluster: string, { key, list, change }: Told): void {
    const watched = this.byKey.get(key)
    if (watched?.told(turn, cluster, list, change) === true) this.dirty.add(watched)
  }

  /** What a snapshot has of a list, if anything, is known now. */
  loaded({ cluster, key }: Event<'snapshot'>): void {
    const list = this.byKey.get(key)
    if (list?.loaded(cluster) === true) this.dirty.add(list)
  }

  /** The connection to a cluster is gone. */
  lost(turn: Turn, cluster: string): void {
    for (const list of this.byKey.values()) if (list.lost(turn, cluster)) this.dirty.add(list)
  }

  /** A cluster came into reach or out of it: what a call waits for may have changed. */
  reachChanged(): void {
    for (const list of this.byKey.values()) if (list.waiting) this.dirty.add(list)
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const list of this.byKey.values()) list.cancel(turn, error)
  }

  step(turn: Turn): void {
    if (this.dueAt !== undefined && turn.now >= this.dueAt) {
      this.dueAt = undefined
      for (const list of this.byKey.values()) {
        const due = list.deadline()
        if (due !== undefined && due <= turn.now) this.dirty.add(list)
        else this.dueAt = earliest(this.dueAt, due)
      }
    }
    for (const list of this.dirty) {
      list.step(turn)
      this.dueAt = earliest(this.dueAt, list.deadline())
    }
    this.dirty.clear()
  }

  deadline(): number | undefined {
    return this.dueAt
  }
}
