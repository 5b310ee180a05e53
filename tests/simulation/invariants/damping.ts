/** Invariant I15: an instance that comes and goes has to behave for a while. */
import type { Instance } from '@rollcall/wire'
import type { Invariant } from './invariant.js'
import { isLost } from './silence.js'
import type { Scene } from '../world/scene.js'

const FLIPS = 3
const WINDOW_MS = 60_000

/**
 * I15: an instance that was lost three times within a minute is not simply `up` again when it is heard, while another
 * one of its service is.
 */
export function createDamping(world: Scene): Invariant {
  const losses = new Map<string, number[]>()
  const invariant: Invariant = {
    name: 'I15 damping',
    // A node that starts again knows of no flips.
    booted: () => losses.clear(),
    viewed(name, view, before) {
      if (name.group !== undefined || before === undefined) return
      const was = new Map(before.instances.map((instance) => [nameOf(instance), instance]))
      const { now } = world.queue
      for (const instance of view.instances) {
        const key = nameOf(instance)
        const old = was.get(key)
        if (old?.state === 'up' && isLost(instance.state))
          losses.set(key, [...(losses.get(key) ?? []), now].slice(-FLIPS))
        if (old === undefined || !isLost(old.state) || instance.state !== 'up') continue
        const [first = -Infinity, , last] = losses.get(key) ?? []
        // The last one that is up does not have to behave, and its flips are forgiven, those of former incarnations too.
        const damped = world.registry.shown?.explain(instance)?.verdict.reason === 'behaved'
        if (damped || !hasOtherUp(before.instances, key) || !hasOtherUp(view.instances, key))
          losses.delete(key)
        else if (last !== undefined && now - first < WINDOW_MS)
          world.violated(invariant, `${instance.service} ${key} was lost ${FLIPS} times, and is up at once`)
      }
    },
  }
  return invariant
}

function hasOtherUp(instances: readonly Instance[], key: string): boolean {
  return instances.some((each) => each.state === 'up' && nameOf(each) !== key)
}

function nameOf({ service, group, id, incarnation }: Instance): string {
  return `${service}/${group}/${id}#${incarnation}`
}
