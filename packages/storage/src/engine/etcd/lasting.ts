/** What lasts until it is closed: watches and held keys, which all end with the engine. */
import type { EngineSubscription, EngineWatcher } from '@rollcall/core'
import type { HeldKey } from './node-lease.js'

export interface Lasting {
  /** Begins a watch; held keys hear through it when they are deleted. */
  watch(begin: (watcher: EngineWatcher) => EngineSubscription, watcher: EngineWatcher): EngineSubscription
  hold(key: HeldKey): EngineSubscription
  /** Ends all of it; resolves when held keys are gone, or as long after as their close takes at most. */
  close(): Promise<void>
}

export function createLasting(): Lasting {
  const watches = new Set<EngineSubscription>()
  const held = new Set<HeldKey>()
  /** PrefixKeys that are on their way out. */
  const leaving = new Set<Promise<void>>()

  function letGo(key: HeldKey): void {
    if (!held.delete(key)) return
    const gone = key.close().finally(() => leaving.delete(gone))
    leaving.add(gone)
  }

  return {
    watch(begin, watcher) {
      const watch = begin({
        progressed: (revision) => watcher.progressed(revision),
        changed(events, revision) {
          for (const event of events) {
            if (event.kind === 'delete') for (const key of held) key.deleted(event.key, event.revision)
          }
          watcher.changed(events, revision)
        },
        ended(error) {
          watches.delete(watch)
          watcher.ended(error)
        },
      })
      watches.add(watch)
      return {
        close() {
          watches.delete(watch)
          watch.close()
        },
      }
    },
    hold(key) {
      held.add(key)
      return { close: () => letGo(key) }
    },
    async close() {
      for (const watch of watches) watch.close()
      watches.clear()
      for (const key of held) letGo(key)
      await Promise.all(leaving)
    },
  }
}
