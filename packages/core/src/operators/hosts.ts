/** What is registered on each host, kept in step with the directory, so that a removal by host costs what it removes. */
import { canonicalHost } from '@rollcall/wire'
import type { Change, Follower } from '../directory/change.js'
import type { Entry } from '../directory/directory.js'
import type { StoredRecord } from '../records/record.js'
import { isLive } from '../records/state.js'

export class Hosts implements Follower {
  /** By the canonical host; one entry stands by itself, because most hosts have no other. */
  private readonly hosts = new Map<string, Entry | Set<Entry>>()

  /** Everything on the host that was not deregistered, the expired included, in the order in which it came there. */
  on(host: string): Iterable<Entry> {
    const found = this.hosts.get(canonicalHost(host))
    if (found === undefined) return []
    return found instanceof Set ? found : [found]
  }

  /** An entry is there that no change has told of. */
  noted(entry: Entry): void {
    this.add(hostOf(entry.record), entry)
  }

  changed({ entry, previous }: Change): void {
    const before = hostOf(previous)
    const after = hostOf(entry.record)
    if (before === after) return
    this.delete(before, entry)
    this.add(after, entry)
  }

  forgotten(entry: Entry): void {
    this.delete(hostOf(entry.record), entry)
  }

  private add(host: string | undefined, entry: Entry): void {
    if (host === undefined) return
    const key = canonicalHost(host)
    const found = this.hosts.get(key)
    if (found === undefined) this.hosts.set(key, entry)
    else if (found instanceof Set) found.add(entry)
    else this.hosts.set(key, new Set([found, entry]))
  }

  private delete(host: string | undefined, entry: Entry): void {
    if (host === undefined) return
    const key = canonicalHost(host)
    const found = this.hosts.get(key)
    if (found instanceof Set) {
      found.delete(entry)
      if (found.size === 0) this.hosts.delete(key)
    } else if (found === entry) {
      this.hosts.delete(key)
    }
  }
}

/** The host of a record that was not deregistered. */
function hostOf(record: StoredRecord | undefined): string | undefined {
  return record !== undefined && isLive(record) ? record.content.host : undefined
}
