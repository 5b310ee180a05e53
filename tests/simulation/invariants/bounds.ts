/** Invariant I9: nothing grows without bound. */
import { type NodeBudgets, recount } from '#core/internal'
import type { NodeDriver } from '@rollcall/server'
import type { Invariant } from './invariant.js'
import { type Scene, serves } from '../world/scene.js'

/** What a node holds for others, by what it is. */
interface Held {
  readonly watches: number
  readonly views: number
  readonly waiting: number
  readonly dirty: number
  readonly refusals: number
  /** By how much the books differ from what they are about. */
  readonly unaccounted: number
}

/** Counted behind the doors: nothing else would show that it grows. */
function heldBy(driver: NodeDriver): Held {
  const { budgets, publisher, liveness } = driver['node']
  return {
    watches: budgets.watches.used,
    views: publisher['views'].size,
    waiting: publisher['waiting'],
    dirty: publisher['dirty'].size,
    refusals: liveness['refusals']['once'].size,
    unaccounted: differences(budgets, recount(driver['node'])),
  }
}

/** By how much two sets of books differ, all budgets together. */
function differences(kept: NodeBudgets, counted: NodeBudgets): number {
  const names = Object.keys(kept) as (keyof NodeBudgets)[]
  // What is alive of the heap is in no book.
  return names
    .filter((name) => name !== 'heap')
    .reduce((sum, name) => sum + Math.abs(kept[name].used - counted[name].used), 0)
}

/**
 * I9: nothing piles up. When all is well the registry holds one session and the watches of each client that lives,
 * nothing waits to be told, and no client waits for an answer.
 */
export function createBounds(world: Scene): Invariant {
  const invariant: Invariant = {
    name: 'I9 bounds',
    healed() {
      const { registry, consumers } = world
      const living = consumers.filter(
        (each) => each.process.alive && !each.process.paused && serves(world, each, 0),
      )
      const watches = living.reduce((sum, { lists }) => sum + lists.size, 0)
      const views = new Set(
        living.flatMap(({ lists }) =>
          [...lists.values()].map(({ name }) => `${name.service}/${name.group ?? ''}`),
        ),
      )
      const atMost: Held = {
        watches,
        views: views.size,
        waiting: 0,
        dirty: 0,
        unaccounted: 0,
        // Asked again and again, in case it comes back.
        refusals: world.endpoints.filter(({ vouch, alive }) => vouch === 'probe' && !alive).length,
      }
      if (registry.driver === undefined) world.violated(invariant, 'there is no registry')
      for (const [what, found] of Object.entries(heldBy(registry.driver)) as [keyof Held, number][]) {
        if (found > atMost[what])
          world.violated(invariant, `the registry holds ${found} ${what}, not ${atMost[what]}`)
      }
      const { streams } = registry
      if (streams.size > living.length)
        world.violated(invariant, `the registry holds ${streams.size} sessions of ${living.length} clients`)
      for (const { session } of streams) {
        if (session.inFlight > 0)
          world.violated(invariant, `${session.inFlight} requests were never answered`)
      }
      for (const { name, waiting, endpoints } of living) {
        // A change of what another process holds waits as long as that one lives.
        if (endpoints.some(({ contested }) => contested)) continue
        if (waiting > 0) world.violated(invariant, `${name} still waits for a call to end`)
      }
    },
  }
  return invariant
}
