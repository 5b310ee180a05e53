/** Invariant I8 over several nodes: what was acknowledged as `replicated` is in the engine. */
import type { InstanceKey } from '@rollcall/core'
import { keyText } from '../../world/endpoint.js'
import type { Scene } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'

/** I8: what was answered with `replicated` is in the engine at that moment: no node and no disk is needed for it any more. */
export function createReplicated(world: Scene): Invariant {
  function holds(key: InstanceKey, incarnation: number, gone: boolean): boolean {
    const stored = world.engine?.record(keyText(key))
    if (stored === undefined || stored.incarnation !== incarnation)
      return stored !== undefined && stored.incarnation > incarnation
    return !gone || stored.content.intent === 'gone'
  }

  function check(key: InstanceKey, incarnation: number, gone: boolean): void {
    if (holds(key, incarnation, gone)) return
    const what = gone ? 'deregistration' : 'registration'
    world.violated(invariant, `the ${what} of ${keyText(key)}#${incarnation} is not in the engine`)
  }

  const invariant: Invariant = {
    name: 'I8 durability',
    executed(done) {
      if (done.durability !== 'replicated') return
      // What an engine lost since it held it is for I6.
      if (world.queue.now - (world.engine?.troubledAt ?? -Infinity) < 5_000) return
      if (done.kind === 'register') {
        done.answer.forEach((result, index) => {
          const command = done.command.items[index]
          if (command !== undefined && result.ok) check(command, result.incarnation, false)
        })
      } else if (done.kind === 'deregister' || done.kind === 'deregisterHost') {
        for (const ref of done.answer.removed)
          if (ref.incarnation !== undefined) check(ref, ref.incarnation, true)
      }
    },
  }
  return invariant
}
