/** The lists of services and namespaces. */
import {
  EMPTY_SIGN,
  formatLanes,
  type NamespacesResponse,
  type NamespaceSummary,
  type ServiceSettings,
  type ServicesResponse,
  type ServiceSummary,
  type SignsResponse,
  SignSum,
  type ViewName,
} from '@rollcall/wire'
import type { Directory, ServiceNode } from './directory.js'
import { tokenOf } from './listing.js'
import { hash64 } from '../records/hash.js'

export interface ServicesQuery {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly prefix?: string
  /** Read on after this `next` token. */
  readonly after?: string
  /** Default 1,000, at most 10,000. */
  readonly limit?: number
}

export interface NamespacesQuery {
  /** Read on after this namespace. */
  readonly after?: string
  /** Default 1,000, at most 10,000. */
  readonly limit?: number
}

/** What a page of the list is made of. */
export interface ServicesPage {
  readonly nodes: readonly ServiceNode[]
  /** The token to read on with, if there is more. */
  readonly next: string | undefined
  /** The sign over the whole answer. */
  readonly sign: string
}

/** The digest of a service's row in the list, with what it was made of. */
interface RowDigest {
  readonly sumHi: number
  readonly sumLo: number
  readonly settings: ServiceSettings | undefined
  readonly frozen: boolean
  readonly hi: number
  readonly lo: number
  /** How long the row is as JSON, about. */
  readonly chars: number
}

const PAGE_DEFAULT = 1_000
const PAGE_MAX = 10_000

/** A page ends before its limit where it is about this long as JSON: ten thousand services of one group each fit. */
const PAGE_CHARS_MAX = 4 * 1024 * 1024

/** What each group of a row takes beside its name. */
const GROUP_CHARS = 70

export class Services {
  private readonly directory: Directory
  private readonly digests = new WeakMap<ServiceNode, RowDigest>()

  constructor(directory: Directory) {
    this.directory = directory
  }

  /** One page of the namespaces that are declared or have a listed service, in order. */
  namespaces({ after = '', limit = PAGE_DEFAULT }: NamespacesQuery): NamespacesResponse {
    const namespaces: NamespaceSummary[] = []
    let chars = 0
    for (const namespace of this.namesFrom(after)) {
      if (namespace === after) continue
      const next = namespaces.at(-1)?.namespace
      if (next !== undefined && (namespaces.length >= Math.min(limit, PAGE_MAX) || chars >= PAGE_CHARS_MAX))
        return { namespaces, next }
      const allow = this.directory.namespaceSettings.get(namespace)?.allow
      for (const entry of allow ?? []) chars += entry.length
      namespaces.push({
        namespace,
        services: this.directory.listing.sizeOf(namespace),
        instances: this.directory.totalOf(namespace),
        ...(allow === undefined ? {} : { allow }),
        ...this.frozen(namespace),
      })
    }
    return { namespaces }
  }

  private *namesFrom(name: string): IterableIterator<string> {
    const { listing, namespaceSettings } = this.directory
    const settings = namespaceSettings.from(name)
    let declared = settings.next()
    for (const listed of listing.namespacesFrom(name)) {
      for (; declared.done !== true && declared.value <= listed; declared = settings.next())
        if (declared.value < listed) yield declared.value
      yield listed
    }
    for (; declared.done !== true; declared = settings.next()) yield declared.value
  }

  /** One page, ordered by namespace and service, with a sign over the whole answer. */
  list(query: ServicesQuery): ServicesResponse & { readonly sign: string } {
    const { nodes, next, sign } = this.page(query)
    const services = nodes.map((node) => ({ ...summary(node), ...this.frozen(node.namespace) }))
    return { services, ...(next === undefined ? {} : { next }), sign }
  }

  /** What a page is made of, and its sign; costs a fraction of writing the page out. */
  page(query: ServicesQuery): ServicesPage {
    const limit = Math.max(1, Math.min(query.limit ?? PAGE_DEFAULT, PAGE_MAX))
    const nodes: ServiceNode[] = []
    const sum = new SignSum()
    let next: string | undefined
    let length = 0
    for (const node of this.directory.listing.matching(query)) {
      const last = nodes.at(-1)
      if (last !== undefined && (nodes.length === limit || length >= PAGE_CHARS_MAX)) {
        next = tokenOf(last)
        const { hi, lo } = hash64(next)
        sum.add(hi, lo)
        break
      }
      nodes.push(node)
      const { hi, lo, chars } = this.digestOf(node)
      sum.add(hi, lo)
      length += chars
    }
    return { nodes, next, sign: formatLanes(sum.hi, sum.lo) }
  }

  /** The views whose sign is not the one shown, with the sign they have. */
  compare(items: readonly (ViewName & { readonly sign: string })[]): SignsResponse {
    const changed: (ViewName & { sign: string })[] = []
    for (const { namespace, service, group, sign } of items) {
      const name = group === undefined ? { namespace, service } : { namespace, service, group }
      const current = this.directory.sum(name)?.toString() ?? EMPTY_SIGN
      if (current !== sign) changed.push({ ...name, sign: current })
    }
    return { changed }
  }

  private frozen(namespace: string): { readonly frozen?: true } {
    return this.directory.freezes.covers(namespace) ? { frozen: true } : {}
  }

  /** The digest of a row, kept until something in it differs. */
  private digestOf(node: ServiceNode): RowDigest {
    const { namespace, service, sum, settings } = node
    const frozen = this.directory.freezes.covers(namespace)
    const kept = this.digests.get(node)
    if (
      kept !== undefined &&
      kept.sumHi === sum.hi &&
      kept.sumLo === sum.lo &&
      kept.settings === settings &&
      kept.frozen === frozen
    ) {
      return kept
    }
    const { sign, metadata = null, groups } = summary(node)
    const names = groups.map(({ group }) => group)
    const text = JSON.stringify([namespace, service, sign, metadata, names, frozen])
    const { hi, lo } = hash64(text)
    const chars = text.length + names.length * GROUP_CHARS
    const digest = { sumHi: sum.hi, sumLo: sum.lo, settings, frozen, hi, lo, chars }
    this.digests.set(node, digest)
    return digest
  }
}

function summary(node: ServiceNode): ServiceSummary {
  const { namespace, service, settings } = node
  const groups = [...node.groups.values()]
    .filter((group) => group.total > 0)
    .map(({ group, sum, total, up }) => ({ group, sign: sum.toString(), total, up }))
  for (const group of new Set(settings?.groups)) {
    if ((node.groups.get(group)?.total ?? 0) === 0) groups.push({ group, sign: EMPTY_SIGN, total: 0, up: 0 })
  }
  groups.sort((a, b) => (a.group < b.group ? -1 : 1))
  return {
    namespace,
    service,
    sign: node.sum.toString(),
    ...(settings?.metadata === undefined ? {} : { metadata: settings.metadata }),
    groups,
  }
}
