/** The books of a node made anew from what it holds, to compare them with those that it keeps. */
import { createBudgets, type NodeBudgets } from './budgets/node-budgets.js'
import { groupBytes, type Place, serviceBytes } from './directory/accounts.js'
import { declarationBytes } from './directory/declaration-book.js'
import { NO_METER } from './metrics.js'
import type { RegistryNode } from './node.js'
import { NODE_DEFAULTS } from './node-options.js'
import { viewBytes, WATCH_BYTES } from './publishing/watch-books.js'
import { recordBytes, tombstoneBytes } from './records/size.js'
import { isLive, isStray, shownState } from './records/state.js'

/** What is alive of the heap is no book: it stays empty. */
export function recount({ directory, publisher }: RegistryNode): NodeBudgets {
  const books = createBudgets(NODE_DEFAULTS, NO_METER)
  const place = ({ paidAs, payer }: Place, bytes: number): void => {
    if (paidAs === undefined) throw new Error('a place of records is not paid for')
    const budget = paidAs === 'stray' ? books.strayBytes : books.tombstoneBytes
    budget.add(payer, bytes)
  }
  for (const namespace of directory.namespaceNames()) {
    for (const service of directory.servicesOf(namespace)) {
      if (service.groups.size > 0) place(service, serviceBytes(service))
      else if (service.paidAs !== undefined) throw new Error('an empty place is paid for')
      for (const group of service.groups.values()) place(group, groupBytes(group))
    }
  }
  for (const { record, payer } of directory.entries()) {
    const bytes = recordBytes(record)
    const kept = tombstoneBytes(record)
    const isListed = shownState(record) !== null
    if (isListed) {
      books.instances.add(payer, 1)
      books.recordBytes.add(payer, bytes - kept)
    }
    const budget = !isLive(record) && isStray(record) ? books.strayBytes : books.tombstoneBytes
    budget.add(payer, isListed ? kept : bytes)
  }
  for (const { declaration, peer } of directory['declared'].all())
    books.declarationBytes.add(peer, declarationBytes(declaration))
  for (const view of publisher['views'].values()) {
    books.watchBytes.add(view.payer, viewBytes(view))
    for (const { peer } of view.subscribers) {
      books.watches.add(peer, 1)
      books.watchBytes.add(peer, WATCH_BYTES)
    }
  }
  return books
}
