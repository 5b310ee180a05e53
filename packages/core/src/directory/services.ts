/** The lists of services and namespaces. */
import {
  EMPTY_SIGN,
  formatLanes,
  type NamespaceSummary,
  type ServicesResponse,
  type ServiceSummary,
  type SignsResponse,
  SignSum,
  type ViewName,
} from '@rollcall/wire'
import type { Directory, ServiceNode } from './directory.js'
import { hash64 } from '../records/hash.js'
import type { ServicesQuery } from '../ports.js'

const PAGE_DEFAULT = 1_000
const PAGE_MAX = 10_000

export class Services {
  private readonly directory: Directory

  constructor(directory: Directory) {
    this.directory = directory
  }

  namespaces(): NamespaceSummary[] {
    const names = new Set([...this.directory.namespaceNames(), ...this.directory.namespaceSettings.names()])
    return [...names].sort().map((namespace) => {
      let services = 0
      let instances = 0
      for (const service of this.directory.servicesOf(namespace)) {
        if (!isListed(service)) continue
        services++
        instances += service.total
      }
      const allow = this.directory.namespaceSettings.get(namespace)?.allow
      return {
        namespace,
        services,
        instances,
        ...(allow === undefined ? {} : { allow }),
        ...this.frozen(namespace),
      }
    })
  }

  /** One page, ordered by namespace and service, with a sign over the whole answer. */
  list(query: ServicesQuery): ServicesResponse & { readonly sign: string } {
    const limit = Math.max(1, Math.min(query.limit ?? PAGE_DEFAULT, PAGE_MAX))
    const found = this.matching(query)
    const page = found.slice(0, limit).map((node) => ({ ...summary(node), ...this.frozen(node.namespace) }))
    const last = page[page.length - 1]
    const sum = new SignSum()
    for (const service of page) {
      const groups = service.groups.map(({ group }) => group)
      const { namespace, metadata = null, frozen = false } = service
      const { hi, lo } = hash64(
        JSON.stringify([namespace, service.service, service.sign, metadata, groups, frozen]),
      )
      sum.add(hi, lo)
    }
    const next = found.length > limit && last !== undefined ? `${last.namespace}/${last.service}` : undefined
    if (next !== undefined) {
      const { hi, lo } = hash64(next)
      sum.add(hi, lo)
    }
    return { services: page, ...(next === undefined ? {} : { next }), sign: formatLanes(sum.hi, sum.lo) }
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

  private matching({ namespace, prefix = '', after }: ServicesQuery): ServiceNode[] {
    const names = namespace === undefined ? [...this.directory.namespaceNames()].sort() : [namespace]
    const found: ServiceNode[] = []
    for (const name of names) {
      const services = [...this.directory.servicesOf(name)].filter(
        (service) =>
          isListed(service) &&
          service.service.startsWith(prefix) &&
          (after === undefined || compareTokens(name, service.service, after) > 0),
      )
      services.sort((a, b) => (a.service < b.service ? -1 : 1))
      found.push(...services)
    }
    return found
  }
}

/** Services that only hold tombstones are not listed; they vanish with their last record. */
function isListed(service: ServiceNode): boolean {
  return service.total > 0 || service.settings !== undefined
}

function compareTokens(namespace: string, service: string, token: string): number {
  const slash = token.indexOf('/')
  const tokenNamespace = token.slice(0, slash)
  if (namespace !== tokenNamespace) return namespace < tokenNamespace ? -1 : 1
  const tokenService = token.slice(slash + 1)
  return service === tokenService ? 0 : service < tokenService ? -1 : 1
}

function summary(node: ServiceNode): ServiceSummary {
  const { namespace, service, settings } = node
  const groups = [...node.groups.values()]
    .filter((group) => group.total > 0)
    .map(({ group, sum, total, up }) => ({ group, sign: sum.toString(), total, up }))
  for (const declared of settings?.groups ?? []) {
    if (!groups.some(({ group }) => group === declared))
      groups.push({ group: declared, sign: EMPTY_SIGN, total: 0, up: 0 })
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
