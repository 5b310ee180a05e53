/** Invariant I18: who leaves in order waits until its consumers have heard. */
import type { Invariant } from './invariant.js'
import { SdkProgram } from '../programs/sdk-program.js'
import { isCalm, type Scene } from '../world/scene.js'

/** `close()` waits so long at most; after that nothing is promised. */
const SETTLE_MS = 1_000

/** A session is given up much later than this. */
const PAUSED_MS = 3_000

/**
 * I18: when a program has closed its client in less than a second, no consumer whose stream is in order has it left to
 * choose; one that stands still for a moment included, because it was waited for.
 */
export function createFarewell(world: Scene): Invariant {
  const owedAt = new Map<SdkProgram, number>()
  const invariant: Invariant = {
    name: 'I18 farewell',
    looked() {
      for (const consumer of world.consumers)
        if (consumer.owed(world.queue.now)) owedAt.set(consumer, world.queue.now)
    },
    left(program, known, ms) {
      const { now } = world.queue
      if (world.scenario.clusters > 1 || !(program instanceof SdkProgram) || ms >= SETTLE_MS) return
      if (!isCalm(world)) return
      for (const consumer of world.consumers) {
        const { paused } = consumer.process
        const inOrder = paused ? now - (owedAt.get(consumer) ?? -Infinity) < PAUSED_MS : consumer.owed(now)
        if (consumer === program || !inOrder) continue
        for (const { service } of consumer.lists.values()) {
          const left = service
            .candidates()
            // A draining one is a last resort of who has heard.
            .find(
              (item) =>
                item.state !== 'draining' &&
                known.some(
                  ({ key, incarnation }) =>
                    key.service === item.service && key.id === item.id && incarnation === item.incarnation,
                ),
            )
          if (left !== undefined)
            world.violated(
              invariant,
              `${program.name} left after ${ms} ms, and ${consumer.name} may choose ${left.id}`,
            )
        }
      }
    },
  }
  return invariant
}
