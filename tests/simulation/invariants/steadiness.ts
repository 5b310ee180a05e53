import type { Invariant } from './invariant.js'
import type { World } from '../world/world.js'

/** I10: an undisturbed client keeps its connection to an undisturbed registry: nothing that either does ends it. */
export function createSteadiness(world: World): Invariant {
  const invariant: Invariant = {
    name: 'I10 steadiness',
    disconnected(program, reason) {
      const { registry, queue } = world
      const { now } = queue
      if (!registry.process.alive || registry.process.paused || now < registry.trouble.calmFrom) return
      if (program.owed(now)) world.violated(invariant, `${program.name} lost its connection: ${reason}`)
    },
  }
  return invariant
}
