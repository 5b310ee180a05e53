/**
 * Reads entries of any version that this code knows. Versions 1 and 2 kept an override as its wishes beside its version,
 * and declarations and freezes without one: what came later replaced what came before. Here they become registers whose
 * counters say the same order; these stay far below any that a node writes, which are milliseconds since the epoch.
 */
import type { Declaration, JournalEntry, Override, StoredRecord, Wishes } from '@rollcall/core'
import { decodeEntries } from './codec.js'

/** The first version that keeps registers. */
const REGISTERS_VERSION = 3

/** An override as it was kept: without a wish it was taken back. */
type OldOverride = Wishes & Omit<Override, 'value'>

type OldRecord = Omit<StoredRecord, 'override'> & { readonly override?: OldOverride }

/** What the declaration of a kind holds. */
type Declared<K extends Declaration['kind']> = Extract<Declaration, { readonly kind: K }>['register']['value']

type OldDeclaration =
  | {
      readonly kind: 'service'
      readonly namespace: string
      readonly service: string
      readonly settings: Declared<'service'>
    }
  | { readonly kind: 'namespace'; readonly namespace: string; readonly settings: Declared<'namespace'> }
  | {
      readonly kind: 'freeze'
      readonly namespace: string
      readonly freeze: Pick<Override, 'by' | 'why'> | null
    }

type OldEntry =
  | { readonly kind: 'record'; readonly record: OldRecord }
  | Extract<JournalEntry, { readonly kind: 'forget' }>
  | OldDeclaration

/** Reads the payload of a frame of a file of this version; to be called in the order of the frames. */
export type EntryReader = (version: number, payload: Uint8Array) => JournalEntry[]

/** Makes a reader for one chain of files. */
export function createEntryReader(): EntryReader {
  let declarations = 0
  return (version, payload) => {
    const entries: JournalEntry[] = []
    if (version >= REGISTERS_VERSION) {
      decodeEntries(payload, (entry) => entries.push(entry as JournalEntry))
    } else {
      decodeEntries(payload, (decoded) => {
        const old = decoded as OldEntry
        if (old.kind === 'record') entries.push({ kind: 'record', record: upgradeRecord(old.record) })
        else entries.push(old.kind === 'forget' ? old : upgradeDeclaration(old, ++declarations))
      })
    }
    return entries
  }
}

function upgradeRecord({ override, ...record }: OldRecord): StoredRecord {
  if (override === undefined) return record
  const { counter, node, by, why, ...wishes } = override
  const { drain, disable, weight } = wishes
  const stands = drain === true || disable === true || weight !== undefined
  const signature = { ...(by === undefined ? {} : { by }), ...(why === undefined ? {} : { why }) }
  return { ...record, override: { counter, node, value: stands ? wishes : null, ...signature } }
}

function upgradeDeclaration(old: OldDeclaration, counter: number): Declaration {
  const { namespace } = old
  const version = { counter, node: '' }
  if (old.kind === 'service') {
    return { kind: old.kind, namespace, service: old.service, register: { ...version, value: old.settings } }
  }
  if (old.kind === 'namespace')
    return { kind: old.kind, namespace, register: { ...version, value: old.settings } }
  const { freeze } = old
  return {
    kind: old.kind,
    namespace,
    register: { ...version, value: freeze === null ? null : true, ...freeze },
  }
}
