/**
 * What clients of other protocols have the registry keep for them: a document under a key, such as a setting that Consul's clients
 * look up. Few and small. Each change has a number of this node, the index; what changed lately is known by its key.
 */
import { type ErrorBody, errorBody } from '@rollcall/wire'
import { limitRefusal } from '../budgets/limit.js'
import type { Meter } from '../metrics.js'
import type { Declaration } from '../records/declaration.js'

/** Values that stand at once, and that are remembered after they were taken back. */
export const VALUES_MAX = 1_024

/** Bytes of all of them. */
const VALUES_BYTES_MAX = 8_388_608

/** Characters of one. */
export const VALUE_CHARS_MAX = 131_072

/** Characters of a key. */
export const VALUE_KEY_CHARS_MAX = 512

/** Changes whose keys are remembered. */
const CHANGES_MAX = 1_024

export type ValueDeclaration = Extract<Declaration, { kind: 'value' }>

/** Names a value, or all below a prefix of keys. */
export type ValueName = Pick<ValueDeclaration, 'namespace' | 'protocol' | 'key'>

export interface KeptValue {
  readonly key: string
  readonly document: string
  /** The number of its last write, the same on every node. */
  readonly counter: number
}

/** What changed after an index, by keys; all that there is where that is no longer known. */
export interface ValueChanges {
  readonly index: number
  readonly keys: readonly string[] | 'all'
}

export class KeptValues {
  private readonly values = new Map<string, KeptValue>()
  private changes: { readonly index: number; readonly key: string }[] = []
  private bytes = 0
  private last = 0
  /** Index of the last change that is no longer remembered. */
  private dropped = 0

  get size(): number {
    return this.values.size
  }

  /** Number of the last change; at least the highest number of a write. */
  get index(): number {
    return this.last
  }

  get(name: ValueName): KeptValue | undefined {
    return this.values.get(place(name))
  }

  /** Those whose keys begin with that of the name, in order of their keys. */
  below(name: ValueName): readonly KeptValue[] {
    const begin = place(name)
    const found: KeptValue[] = []
    for (const [at, value] of this.values) if (at.startsWith(begin)) found.push(value)
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  since(index: number): ValueChanges {
    if (index < this.dropped) return { index: this.last, keys: 'all' }
    const keys = this.changes.filter((change) => change.index > index).map(({ key }) => key)
    return { index: this.last, keys: [...new Set(keys)] }
  }

  /** Why a document cannot be kept. Counts what a limit refuses. */
  refusal(name: ValueName, document: string, meter: Pick<Meter, 'count'>): ErrorBody | undefined {
    const { key } = name
    if (key === '' || key.length > VALUE_KEY_CHARS_MAX)
      return errorBody('invalid_argument', `must have 1 to ${VALUE_KEY_CHARS_MAX} characters`, 'key')
    const before = this.get(name)
    if (before === undefined && this.size >= VALUES_MAX) {
      const message = 'the registry keeps as many values as it may'
      return limitRefusal(meter, { quota: 'valuesMax', max: VALUES_MAX, over: 'node', message })
    }
    const bytes = this.bytes + document.length - (before?.document.length ?? 0)
    if (document.length <= VALUE_CHARS_MAX && bytes <= VALUES_BYTES_MAX) return undefined
    const message = 'the value is too large, or all of them together would be'
    return limitRefusal(meter, { quota: 'valueBytesMax', max: VALUES_BYTES_MAX, over: 'node', message })
  }

  /** Brings a declaration into effect. What other nodes kept is taken in beyond the bounds: each of them has admitted its own. */
  settle({ namespace, protocol, key, register }: ValueDeclaration): void {
    const at = place({ namespace, protocol, key })
    const before = this.values.get(at)
    const { value, counter } = register
    this.bytes += (value?.length ?? 0) - (before?.document.length ?? 0)
    if (value === null) this.values.delete(at)
    else this.values.set(at, { key, document: value, counter })
    this.last = Math.max(this.last + 1, counter)
    this.changes.push({ index: this.last, key })
    if (this.changes.length <= CHANGES_MAX) return
    this.dropped = this.changes[CHANGES_MAX / 2 - 1]?.index ?? 0
    this.changes = this.changes.slice(CHANGES_MAX / 2)
  }
}

/** Neither names nor protocols can contain the slash between them. */
function place({ namespace, protocol, key }: ValueName): string {
  return `${namespace}/${protocol}/${key}`
}
