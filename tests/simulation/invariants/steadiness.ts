/** I10: an undisturbed client keeps its connection to an undisturbed registry: nothing that either does ends it. */
import type { Invariant } from './invariant.js'
import { isCalm, isJoined, type Scene } from '../world/scene.js'

export function createSteadiness(world: Scene): Invariant {
  const invariant: Invariant = {
    name: 'I10 steadiness',
    disconnected(program, reason) {
      // Among several nodes clients move.
      if (!isJoined(world) && isCalm(world) && program.owed(world.queue.now))
        world.violated(invariant, `${program.name} lost its connection: ${reason}`)
    },
  }
  return invariant
}
