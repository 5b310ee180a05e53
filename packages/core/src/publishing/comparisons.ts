/**
 * Lists of which a subscriber shows a sign that this node never had, as after a move from a node that learnt the same changes in
 * another order: compared by the sums of their parts, so that only the parts that differ are sent. Nothing is kept up to date for
 * it; what is computed serves all that ask while the list stays as it is.
 */
import {
  type Delta,
  type Instance,
  partOf,
  PARTS_MAX,
  PartSums,
  partsFor,
  partsOf,
  type ViewName,
} from '@rollcall/wire'
import type { Update } from './subscription.js'
import type { Directory, Entry } from '../directory/directory.js'
import { listedEntries, recentRemoves, signOfView, sizeOfView, toInstance } from '../directory/view.js'

/** Below this the list itself costs less than to compare it. */
const COMPARED_MIN = 64

/** So many times the parts that it was asked to be shown by a list may have grown to until they are shown. */
const GROWN = 4

/** What was made is made again after this long, because it carries ages. */
const MADE_MS_MAX = 1_000

/** Lists whose parts are kept at hand. */
const TABLES_MAX = 64

/** A list by its parts. */
interface Table {
  readonly sign: string
  readonly count: number
  readonly sums: PartSums
  readonly members: ReadonlyMap<number, readonly Entry[]>
  /** What was made last: many come with the same list. */
  made: { readonly shown: Shown; readonly at: number; readonly update: Update } | undefined
}

/** A list as a subscriber shows it. */
interface Shown {
  readonly sign: string
  readonly sums: string
}

export class Comparisons {
  private readonly directory: Directory
  private readonly tables = new Map<string, Table>()

  constructor(directory: Directory) {
    this.directory = directory
  }

  /** By how many parts a view is to be compared; undefined where that is not worth it. */
  wanted(name: ViewName): number | undefined {
    const size = sizeOfView(this.directory, name)
    return size < COMPARED_MIN ? undefined : partsFor(size)
  }

  /**
   * What leads from a list with these sums of parts to the present, numbered by `make`; undefined where the whole list costs no
   * more, and where the parts are so few that to compare them would cost more than to ask for it.
   */
  difference(
    key: string,
    name: ViewName,
    shown: Shown,
    now: number,
    make: (delta: Delta) => Update,
  ): Update | undefined {
    const count = partsOf(shown.sums) ?? 0
    const size = sizeOfView(this.directory, name)
    if (count < Math.min(PARTS_MAX, size / GROWN)) return undefined
    const table = this.table(key, name, count)
    const { made } = table
    const isSame = made?.shown.sign === shown.sign && made.shown.sums === shown.sums
    if (isSame && now - made.at < MADE_MS_MAX) return made.update
    const delta = this.compare(name, shown, table, now)
    if (delta === undefined) return undefined
    const update = make(delta)
    table.made = { shown, at: now, update }
    return update
  }

  private compare(name: ViewName, shown: Shown, table: Table, now: number): Delta | undefined {
    const { sign: to, count, sums, members } = table
    const differing = sums.differing(shown.sums)
    const entries = differing.flatMap((part) => members.get(part) ?? [])
    if (entries.length > sizeOfView(this.directory, name) / 2) return undefined
    const upserts = entries.flatMap((entry): readonly Instance[] => {
      const instance = toInstance(entry, now)
      return instance === undefined ? [] : [instance]
    })
    const service = this.directory.find(name.namespace, name.service)
    const parts = new Set(differing)
    const removes = (service === undefined ? [] : recentRemoves(service, name.group)).filter(
      ({ group, id }) =>
        parts.has(partOf(group, id, count)) &&
        (service?.groups.get(group)?.entries.get(id)?.state ?? null) === null,
    )
    return { ...name, from: shown.sign, to, upserts, removes, parts: { count, differing } }
  }

  private table(key: string, name: ViewName, count: number): Table {
    const sign = signOfView(this.directory, name)
    const known = this.tables.get(key)
    this.tables.delete(key)
    const table = known?.sign === sign && known.count === count ? known : this.compute(name, sign, count)
    this.tables.set(key, table)
    for (const oldest of this.tables.keys()) {
      if (this.tables.size <= TABLES_MAX) break
      this.tables.delete(oldest)
    }
    return table
  }

  private compute(name: ViewName, sign: string, count: number): Table {
    const sums = new PartSums(count)
    const members = new Map<number, Entry[]>()
    for (const entry of listedEntries(this.directory, name)) {
      const { group, id } = entry.record
      const part = partOf(group, id, count)
      sums.add(part, entry)
      const inPart = members.get(part)
      if (inPart === undefined) members.set(part, [entry])
      else inPart.push(entry)
    }
    return { sign, count, sums, members, made: undefined }
  }
}
