/**
 * Follows what is listed in a namespace, for an adapter that keeps a rendering of its own: everything at the first time and
 * whenever the feed remembers too little, else what changed. Nothing is read before the adapter asks.
 */
import type { Clock, InstanceKey, Offer, Queries } from '@rollcall/core'
import { defined } from '@rollcall/wire'
import type { Later } from '../http/in-order.js'
import { inTurns } from './turns.js'

/** What keeps the rendering. None of its members may throw. */
export interface NamespaceCopy {
  /** Everything is told anew. */
  reset(): void
  /** An instance is listed like this now, whether or not it was before. */
  put(key: InstanceKey, offer: Offer): void
  /** An instance is not listed any more; it may never have been told of. */
  remove(key: InstanceKey): void
  /** All is told that happened by now. Each step of what it does then takes some microseconds, as `put` does. */
  settled(): Iterable<void>
}

export interface NamespaceReaderDeps {
  readonly clock: Pick<Clock, 'setTimer'>
  read(): Queries
}

/** Names of services that are read at a time. */
const SERVICES_MAX = 1_000

/** Changes that are looked at in one step. */
const CHANGES_MAX = 100

export class NamespaceReader {
  private readonly deps: NamespaceReaderDeps
  private readonly namespace: string
  private readonly copy: NamespaceCopy
  /** Index of the feed up to which all was told. No boot gives out 0: the first answer is that it is lost. */
  private index = 0
  private underWay: Promise<void> | undefined

  constructor(deps: NamespaceReaderDeps, namespace: string, copy: NamespaceCopy) {
    this.deps = deps
    this.namespace = namespace
    this.copy = copy
  }

  /** Brings the copy up to date: at once where little changed. Those who ask while that lasts wait for the same. */
  current(): Later<void> {
    if (this.underWay !== undefined) return this.underWay
    const reading = inTurns(this.deps.clock, this.steps())
    if (reading === undefined) return undefined
    this.underWay = reading.finally(() => (this.underWay = undefined))
    return this.underWay
  }

  private *steps(): Generator<void> {
    const { copy, namespace } = this
    const read = this.deps.read()
    for (let more = this.index < read.index({ namespace }); more;) {
      const answer = read.changes(namespace, this.index, CHANGES_MAX)
      if (answer.kind === 'lost') {
        copy.reset()
        yield* this.list(read)
      } else {
        for (const change of answer.changes) {
          if ('id' in change) this.tell(read, change)
          yield
        }
        more = answer.more
      }
      this.index = answer.next
      yield
    }
    yield* copy.settled()
  }

  /** All that is listed. What changes meanwhile is told again by the feed. */
  private *list(read: Queries): Generator<void> {
    const { namespace } = this
    let after: string | undefined
    do {
      const page = read.services({ namespace, limit: SERVICES_MAX, ...defined({ after }) })
      for (const { service } of page.services) {
        yield
        const captured = read.capture({ namespace, service })
        for (let place = 0; place < captured.size; place++) {
          const { group, id } = captured.instance(place)
          this.tell(read, { namespace, service, group, id })
          yield
        }
      }
      after = page.next
    } while (after !== undefined)
  }

  private tell(read: Queries, { namespace, service, group, id }: InstanceKey): void {
    const key = { namespace, service, group, id }
    const offer = read.offer(key)
    if (offer === undefined) this.copy.remove(key)
    else this.copy.put(key, offer)
  }
}
