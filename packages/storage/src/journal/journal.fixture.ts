/** What the journal's tests are made of: a clock turned by hand, records, and the state that entries add up to. */
import {
  type Declaration,
  declarationKey,
  type InstanceKey,
  joinRegisters,
  type JournalEntry,
  type Register,
  type StoredRecord,
} from '@rollcall/core'

/** Lets everything run that is due in this and the next turns of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export function keyOf(index: number): InstanceKey {
  return {
    namespace: 'default',
    service: `service-${index % 3}`,
    group: 'default',
    id: `10.0.0.${index}:8080`,
  }
}

/** A live record; `rev` tells versions of it apart. */
export function recordOf(index: number, rev: number, incarnation = 1): StoredRecord {
  return {
    ...keyOf(index),
    incarnation,
    content: {
      intent: 'up',
      rev,
      host: `10.0.0.${index}`,
      port: 8080,
      weight: 100,
      ...(index % 2 === 0 ? { zone: 'zone-ä', protocol: 'http' } : {}),
      metadata: index % 3 === 0 ? {} : { version: `1.${rev}`, '"quoted"': '\u0000\n' },
      leaseMs: 15_000,
      liveness: 'lease',
      named: true,
      digest: '0123456789abcdef',
    },
    verdict: { value: 'up', claim: 1, node: 'node-1', seq: rev, reason: 'registered' },
  }
}

export function entryOf(index: number, rev: number): JournalEntry {
  return { kind: 'record', record: recordOf(index, rev) }
}

export function goneOf(index: number, rev: number, incarnation = 1): JournalEntry {
  return {
    kind: 'record',
    record: { ...recordOf(index, rev, incarnation), content: { intent: 'gone', rev, by: 'provider' } },
  }
}

/** A register of the first version. */
export function registerOf<T>(value: T): Register<NonNullable<T>> {
  return { counter: 1, node: 'node-1', value: value as NonNullable<T> | null }
}

/** Memory as a registry keeps it: entries are merged in, the highest version wins, `forget` binds to the incarnation. */
export class Memory {
  readonly records = new Map<string, StoredRecord>()
  readonly declared = new Map<string, Declaration>()

  apply(entry: JournalEntry): void {
    if (entry.kind === 'record') {
      const id = JSON.stringify([
        entry.record.namespace,
        entry.record.service,
        entry.record.group,
        entry.record.id,
      ])
      const stored = this.records.get(id)
      const newer =
        stored === undefined ||
        entry.record.incarnation > stored.incarnation ||
        (entry.record.incarnation === stored.incarnation && entry.record.content.rev >= stored.content.rev)
      if (newer) this.records.set(id, entry.record)
    } else if (entry.kind === 'forget') {
      const id = JSON.stringify([entry.key.namespace, entry.key.service, entry.key.group, entry.key.id])
      if (this.records.get(id)?.incarnation === entry.incarnation) this.records.delete(id)
    } else if (entry.kind !== 'epoch') {
      const key = declarationKey(entry)
      const held = this.declared.get(key)?.register
      if (held === undefined || joinRegisters(held, entry.register) !== held) this.declared.set(key, entry)
    }
  }

  *entries(): Generator<JournalEntry> {
    for (const record of this.records.values()) yield { kind: 'record', record }
    yield* this.declared.values()
  }

  revOf(index: number): number | undefined {
    const { namespace, service, group, id } = keyOf(index)
    return this.records.get(JSON.stringify([namespace, service, group, id]))?.content.rev
  }

  static of(entries: Iterable<JournalEntry>): Memory {
    const memory = new Memory()
    for (const entry of entries) memory.apply(entry)
    return memory
  }
}
