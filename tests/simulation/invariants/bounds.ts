import { inside } from '../mutations/inside.js'
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'

/** What is looked at behind the doors of the node, by the path to it. */
const INSIDE = {
  watches: 'node.publisher.watches',
  views: 'node.publisher.views.size',
  waiting: 'node.publisher.waiting',
  dirty: 'node.publisher.dirty.size',
  refusals: 'node.liveness.refusedOnce.size',
} as const

/**
 * I9: nothing piles up. When all is well the registry holds one session and the watches of each client that lives,
 * nothing waits to be told, and no client waits for an answer.
 */
export function createBounds(world: Scene): Invariant {
  const invariant: Invariant = {
    name: 'I9 bounds',
    healed() {
      const { registry, consumers } = world
      const living = consumers.filter(({ process }) => process.alive && !process.paused)
      const watches = living.reduce((sum, { lists }) => sum + lists.size, 0)
      const views = new Set(
        living.flatMap(({ lists }) =>
          [...lists.values()].map(({ name }) => `${name.service}/${name.group ?? ''}`),
        ),
      )
      const atMost: Readonly<Record<keyof typeof INSIDE, number>> = {
        watches,
        views: views.size,
        waiting: 0,
        dirty: 0,
        // Asked again and again, in case it comes back.
        refusals: world.endpoints.filter(({ vouch, alive }) => vouch === 'probe' && !alive).length,
      }
      for (const [what, path] of Object.entries(INSIDE) as [keyof typeof INSIDE, string][]) {
        const found = count(registry.driver, path)
        if (found > atMost[what])
          world.violated(invariant, `the registry holds ${found} ${what}, not ${atMost[what]}`)
      }
      if (registry.sessions.size > living.length) {
        world.violated(
          invariant,
          `the registry holds ${registry.sessions.size} sessions of ${living.length} clients`,
        )
      }
      for (const session of registry.sessions) {
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

function count(root: unknown, path: string): number {
  const value = inside(root, path)
  if (typeof value !== 'number') throw new Error(`${path} is no number`)
  return value
}
