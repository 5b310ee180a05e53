/** Invariant I24: a node says truthfully whether it should be asked. */
import { isTogether, type Scene } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'

/** By now a node knows that it has lost the engine, and its peers have told that they have not: its lease, and two reports. */
const KNOWN_MS = 20_000

/** By now a node that starts without an engine has given up waiting. */
const STARTED_MS = 15_000

/**
 * I24: a node is ready while the cluster is together, and while no node has an engine; not while it alone has lost it; and one that
 * began with nothing is not before it has seen the engine.
 */
export function createReadiness(world: Scene): Invariant {
  let isEmpty = false
  let joinedAt: number | undefined

  function mayBeReached(): boolean {
    return world.engine?.reaches(world.registry) === true
  }

  const invariant: Invariant = {
    name: 'I24 readiness',
    booted(entries) {
      isEmpty = entries.every(({ kind }) => kind !== 'record')
      joinedAt = undefined
    },
    looked() {
      const { registry, queue, engine, nodes } = world
      const { process, ready } = registry
      if (!process.alive || process.paused || registry.stopping || engine === undefined) return
      // It may have joined and been cut off between two looks.
      if (mayBeReached() || registry.member?.cluster().epoch !== '') joinedAt ??= queue.now
      const { now } = queue
      const startedMs = now - process.startedAt
      if (isTogether(world) && !ready) world.violated(invariant, 'is not ready, and all is well')
      if (isEmpty && joinedAt === undefined && ready) world.violated(invariant, 'is ready, and knows nothing')
      const lostMs = now - (engine.lostAt(registry) ?? Infinity)
      if (lostMs < KNOWN_MS || startedMs < KNOWN_MS || now < registry.trouble.calmFrom) return
      const others = nodes.filter((each) => each !== world)
      const better = others.filter(
        ({ registry: other }) =>
          other.process.alive &&
          !other.process.paused &&
          now >= other.apart.calmFrom &&
          now >= other.trouble.calmFrom,
      )
      // A node that hears no peer cannot know how they fare.
      if (better.length > 0 && ready && now >= registry.unlinked.calmFrom)
        world.violated(
          invariant,
          `is ready without an engine, and ${better[0]!.registry.process.name} has it`,
        )
      const alike = others.every(({ registry: other }) => now - (engine.lostAt(other) ?? Infinity) > KNOWN_MS)
      if (alike && !isEmpty && !ready && startedMs > STARTED_MS)
        world.violated(invariant, 'is not ready, and no node has the engine')
    },
  }
  return invariant
}
