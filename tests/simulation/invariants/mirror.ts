/** Invariant I5: a mirror shows a list that the registry had. */
import { signOf } from '@rollcall/wire'
import type { Invariant } from './invariant.js'
import { listText } from '../programs/sdk-program.js'
import { isCalm, type Scene, serves } from '../world/scene.js'

/** An undisturbed consumer is this much behind at most: the longest window, and delivery. */
export const BEHIND_MS = 1_000

/**
 * I5: a list that came from the registry is, in every field, one that the registry showed under the same sign; and
 * an undisturbed consumer has the newest one, at most BEHIND_MS later.
 */
export function createMirror(world: Scene): Invariant {
  const invariant: Invariant = {
    name: 'I5 mirror',
    listed(program, name, { source, sign, instances }) {
      if (source !== 'registry') return
      const sum = signOf(instances)
      if (sum !== sign)
        world.violated(invariant, `${program.name} shows ${name.service} as ${sign}, the sum is ${sum}`)
      if (!world.book.knows(name, sign, instances)) {
        world.violated(
          invariant,
          `${program.name} shows what ${name.service} never was: ${listText(instances)}`,
        )
      }
    },
    looked() {
      const { book, consumers, queue } = world
      const { now } = queue
      if (!isCalm(world)) return
      for (const consumer of consumers) {
        if (!consumer.owed(now) || !serves(world, consumer, BEHIND_MS)) continue
        for (const { name, list, source } of consumer.lists.values()) {
          const { view, changedAt } = book.current(name)
          if (view === undefined || now <= changedAt + BEHIND_MS) continue
          if (source !== 'registry' && view.instances.length > 0) {
            world.violated(invariant, `${consumer.name} has ${name.service} from ${source}`)
          }
          if (signOf(list) !== view.sign) {
            world.violated(
              invariant,
              `${consumer.name} is behind: ${listText(list)} instead of ${listText(view.instances)}`,
            )
          }
        }
      }
    },
  }
  return invariant
}
