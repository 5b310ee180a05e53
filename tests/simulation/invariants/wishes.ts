/** Invariant I20: what an operator wants of an instance is what is shown of it. */
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import { isJoined, isTogether, type Scene } from '../world/scene.js'

/**
 * I20: a listed instance is `disabled` where, and only where, an operator wants that; one that is to drain is `draining`
 * or `down`; and one that is `draining` is to drain, or says that it does. Weights are for I13, what stands for I19.
 */
export function createWishes(world: Scene): Invariant {
  const invariant: Invariant = {
    name: 'I20 wishes',
    looked() {
      const { registry, endpoints, queue } = world
      const { shown } = registry
      if (shown === undefined || registry.process.paused) return
      const overrides = new Map(shown.overrides({}).overrides.map((each) => [keyText(each), each]))
      for (const endpoint of endpoints) {
        const key = keyText(endpoint.key)
        const state = shown.instance(endpoint.key)?.state
        if (state === undefined) continue
        const { drain = false, disable = false } = overrides.get(key) ?? {}
        if ((state === 'disabled') !== disable)
          world.violated(
            invariant,
            `${key} is ${state}, and an operator ${disable ? 'disabled it' : 'did not want that'}`,
          )
        if (drain && !disable && state !== 'draining' && state !== 'down')
          world.violated(invariant, `${key} is ${state}, and an operator drains it`)
        // A node that starts does not know what was said while it was away.
        const told = queue.now >= registry.trouble.calmFrom && (!isJoined(world) || isTogether(world))
        const owed = endpoint.settled(queue.now) && told
        if (state === 'draining' && !drain && owed && endpoint.intent === 'up')
          world.violated(invariant, `${key} is draining, and neither it nor an operator wants that`)
      }
    },
  }
  return invariant
}
