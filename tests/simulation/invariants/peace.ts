/** Invariant I12: two processes with one id do not take turns. */
import type { View, ViewName } from '@rollcall/wire'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'

/** Changes of hands after everything has healed: the holder of the id may leave it, be away for a hold-off, and return. */
const CHANGES_MAX = 4

/**
 * I12: two programs that claim one id do not take it from each other for ever. Only of those that name their
 * incarnations: of two that do not, the last one wins, again and again.
 */
export function createPeace(world: Scene): Invariant {
  const nameless = new Set(world.endpoints.filter(({ named }) => !named).map(({ key }) => keyText(key)))
  const contested = new Set(world.endpoints.filter((each) => each.contested).map(({ key }) => keyText(key)))
  const changes = new Map<string, number>()

  const invariant: Invariant = {
    name: 'I12 peace',
    viewed({ group }: ViewName, view: View, before: View | undefined) {
      if (group !== undefined || before === undefined || world.queue.now < world.scenario.healAt) return
      const was = new Map(before.instances.map((each) => [keyText(each), each.incarnation]))
      for (const instance of view.instances) {
        const key = keyText(instance)
        if (!contested.has(key) || nameless.has(key) || was.get(key) === instance.incarnation) continue
        const count = (changes.get(key) ?? 0) + 1
        changes.set(key, count)
        if (count > CHANGES_MAX) world.violated(invariant, `${key} changes hands again and again`)
      }
    },
  }
  return invariant
}
