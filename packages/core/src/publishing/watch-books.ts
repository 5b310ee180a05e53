/** What watches cost: bounded in number for each subscriber, each peer and the node, and in memory. */
import { type Budget, demandRoom } from '../budgets/budget.js'
import { limitError } from '../budgets/limit.js'
import type { Meter } from '../metrics.js'
import type { Consumer, SubscribedView } from './audience.js'

export interface WatchBudgets {
  readonly watches: Budget
  readonly watchBytes: Budget
}

/** A watch: its places with the view, with the subscriber and with the connection. */
export const WATCH_BYTES = 300

/** A view that is watched or waited for, however many do. Measured together with one watch: 550, without the connection. */
const VIEW_BYTES = 500

export class WatchBooks {
  private readonly budgets: WatchBudgets
  private readonly perSubscriberMax: number
  private readonly meter: Meter

  constructor(budgets: WatchBudgets, perSubscriberMax: number, meter: Meter) {
    this.budgets = budgets
    this.perSubscriberMax = perSubscriberMax
    this.meter = meter
  }

  /** Throws `limit_exceeded` where a subscriber may not watch so many more, of which so many are not watched yet. */
  demand({ peer, watched }: Consumer, watches: number, views: number): void {
    const max = this.perSubscriberMax
    if (watches > 0 && watched.size + watches > max) {
      const message = 'a subscriber watches as many views as it may'
      throw limitError(this.meter, { quota: 'watchesPerSubscriberMax', max, over: 'subscriber', message })
    }
    demandRoom(this.budgets.watches.refusal(peer, watches))
    demandRoom(this.budgets.watchBytes.refusal(peer, watches * WATCH_BYTES + views * VIEW_BYTES))
  }

  /** Throws `limit_exceeded` where a peer may not wait for a view that is not watched yet. */
  demandView(peer: string | undefined): void {
    demandRoom(this.budgets.watchBytes.refusal(peer, VIEW_BYTES))
  }

  began({ peer }: Consumer): void {
    this.budgets.watches.add(peer, 1)
    this.budgets.watchBytes.add(peer, WATCH_BYTES)
  }

  ended({ peer }: Consumer): void {
    this.budgets.watches.give(peer, 1)
    this.budgets.watchBytes.give(peer, WATCH_BYTES)
  }

  /** Who needed the view first pays for it, until no one does any more. */
  opened(view: SubscribedView): void {
    this.budgets.watchBytes.add(view.payer, viewBytes(view))
  }

  closed(view: SubscribedView): void {
    this.budgets.watchBytes.give(view.payer, viewBytes(view))
  }
}

export function viewBytes({ key }: Pick<SubscribedView, 'key'>): number {
  return VIEW_BYTES + 2 * key.length
}
