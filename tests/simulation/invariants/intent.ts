/** I11: an instance that says that it is starting or draining is not `up`, whatever its verdict is meanwhile. */
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import { isJoined, isTogether, type Scene } from '../world/scene.js'

export function createIntent(world: Scene): Invariant {
  const invariant: Invariant = {
    name: 'I11 intent',
    looked() {
      const { registry, queue, endpoints } = world
      if (registry.shown === undefined || registry.process.paused || queue.now < registry.trouble.calmFrom)
        return
      if (isJoined(world) && !isTogether(world)) return
      for (const endpoint of endpoints) {
        const { key, incarnation, intent } = endpoint
        if (intent === 'up' || !endpoint.settled(queue.now)) continue
        const instance = registry.shown.instance(key)
        if (instance?.state === 'up' && instance.incarnation === incarnation)
          world.violated(invariant, `${keyText(key)} says that it is ${intent}, and is up`)
      }
    },
  }
  return invariant
}
