/** Services that changed, and whether a page of the list of services could look different by that. */
import {
  type FeedAnswer,
  Listing,
  type Services,
  type ServicesPage,
  type ServicesQuery,
} from '@rollcall/core'
import { ALL_NAMESPACES } from '@rollcall/wire'

export class ChangedServices {
  private readonly services = new Listing<{ readonly namespace: string; readonly service: string }>()
  /** Namespaces that changed as a whole. */
  private readonly whole = new Set<string>()
  private readonly all: boolean

  /** Takes what the feed says of all namespaces. Where it does not say everything, everything may have changed. */
  constructor(answer: FeedAnswer) {
    this.all = answer.kind === 'lost' || answer.more
    if (answer.kind === 'lost') return
    const seen = new Set<string>()
    for (const change of answer.changes) {
      if (change.kind === 'namespace') {
        this.whole.add(change.namespace)
        continue
      }
      const { namespace, service } = change
      const token = `${namespace}/${service}`
      if (!seen.has(token)) this.services.add({ namespace, service })
      seen.add(token)
    }
  }

  /** Places that a look at one query may visit. */
  costOf({ namespace }: ServicesQuery): number {
    return namespace === undefined ? this.services.size : 1
  }

  /** False where the answer to the query is certainly still the page. */
  touch(query: ServicesQuery, page: ServicesPage, list: Pick<Services, 'page'>): boolean {
    if (this.all || this.touchWhole(query.namespace)) return true
    const [first] = this.services.matching(query)
    if (first === undefined) return false
    const last = page.nodes.at(-1)
    if (page.next === undefined || last === undefined) return true
    if (first.namespace < last.namespace) return true
    if (first.namespace === last.namespace && first.service <= last.service) return true
    // Of what comes after the page it says only that there is something.
    return list.page({ ...query, after: page.next, limit: 1 }).nodes.length === 0
  }

  private touchWhole(namespace: string | undefined): boolean {
    if (this.whole.size === 0) return false
    return namespace === undefined || this.whole.has(namespace) || this.whole.has(ALL_NAMESPACES)
  }
}
