/** A publisher with subscribers that only collect, and time that a test moves. */
import type { ViewName } from '@rollcall/wire'
import type { Subscription, Update, WatchCommand } from './subscription.js'
import type { Publisher } from './publisher.js'
import type { WatchBudgets } from './watch-books.js'
import { Simulation, type SimulationOptions } from '../simulated-node.fixture.js'

/** The view most tests look at. */
export const ORDERS: ViewName = { namespace: 'default', service: 'orders' }

/** What a subscriber was sent, and its subscription. */
export interface Consumer {
  readonly updates: Update[]
  readonly subscription: Subscription
}

/** What a test holds in its hands. */
export interface Stage {
  readonly sim: Simulation
  readonly publisher: Publisher
  readonly join: (...items: WatchCommand[]) => Consumer
  /** Publishes whatever is due within the next milliseconds, and says when that was. */
  readonly publish: (ms?: number) => number[]
}

/** A fresh node and its publisher. */
export function setUp(options: SimulationOptions = {}): Stage {
  const sim = new Simulation(options)
  const { publisher } = sim.node
  const join = (...items: WatchCommand[]): Consumer => {
    const updates: Update[] = []
    const subscription = publisher.subscribe({ deliver: (update) => updates.push(update) }, () => sim.now)
    subscription.watch(items.length === 0 ? [ORDERS] : items)
    return { updates, subscription }
  }
  const publish = (ms = 0): number[] => {
    const told: number[] = []
    const start = sim.now
    const end = start + ms
    while (publisher.due() <= end) {
      sim.now = Math.max(sim.now, publisher.due())
      publisher.flush(sim.now)
      told.push(sim.now - start)
    }
    sim.now = end
    return told
  }
  return { sim, publisher, join, publish }
}

/** Updates in brief. */
export function kinds(updates: readonly Update[]): string[] {
  return updates.map((update) =>
    update.kind === 'view'
      ? `view ${update.view.instances.length}`
      : `delta +${update.delta.upserts.length} -${update.delta.removes.length}`,
  )
}

/** What a publisher holds; nothing else would show that it grows. */
export function inside(publisher: object): { views: number; watches: number; waiting: number } {
  const { views, deps, waiting } = publisher as unknown as {
    views: Map<string, unknown>
    deps: { readonly budgets: WatchBudgets }
    waiting: number
  }
  return { views: views.size, watches: deps.budgets.watches.used, waiting }
}
