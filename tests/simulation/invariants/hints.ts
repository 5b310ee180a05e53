/** Invariant I16: what consumers could not reach is asked. */
import type { Instance } from '@rollcall/wire'
import type { Invariant } from './invariant.js'
import type { SdkProgram } from '../programs/sdk-program.js'
import { isCalm, isJoined, isTogether, type Scene, serves } from '../world/scene.js'

/** A client tells of it every 2 s at most, a node asks once a second at most, and two refusals are proof. */
const FOUND_MS = 4_500

/** A call that was refused, when all was well with its caller. */
interface Refused {
  readonly program: SdkProgram
  readonly instance: Instance
  readonly at: number
}

/**
 * I16: an instance whose port refused an undisturbed consumer, and refuses the node that judges it, which once connected to it, is
 * not `up` any more 4.5 s later, unless a beat of it was heard meanwhile.
 */
export function createHints(world: Scene): Invariant {
  const refused = new Map<string, Refused>()

  function isWell({ program }: Refused): boolean {
    const calm = isJoined(world) ? isTogether(world) && serves(world, program, 0) : isCalm(world)
    return calm && world.network.lossRate === 0 && program.owed(world.queue.now)
  }

  /** The node that has to ask it. */
  function judgeOf(instance: Instance): Scene | undefined {
    if (!isJoined(world)) return world
    return world.nodes.find(({ registry }) => registry.shown?.explain(instance)?.judge?.own === true)
  }

  function isFound({ instance, at }: Refused): boolean {
    const judge = judgeOf(instance)
    if (judge === undefined) return true
    const { network, registry } = judge
    const { host, port } = instance
    const here = registry.process.host
    if (network.port(here, host, port) !== 'refuses' || network.changedAt(here, host, port) > at) return true
    const told = registry.shown?.explain(instance)
    if (told?.state !== 'up' || told.incarnation !== instance.incarnation) return true
    const { content, evidence } = told
    // A beat that was on its way when its process died speaks for it once more, and the port is asked again.
    if (evidence?.heardBy === 'beat' && (evidence.heardMs ?? Infinity) <= FOUND_MS) return true
    return evidence?.baseline !== true || content.liveness === 'static' || content.probe?.type === 'none'
  }

  const invariant: Invariant = {
    name: 'I16 hints',
    refused(program, instance) {
      const call = { program, instance, at: world.queue.now }
      const { service, group, id, incarnation } = instance
      const name = `${service}/${group}/${id}#${incarnation}`
      if (world.scenario.clusters === 1 && !refused.has(name) && isWell(call)) refused.set(name, call)
    },
    looked() {
      for (const [name, call] of refused) {
        if (!isWell(call)) refused.delete(name)
        else if (world.queue.now >= call.at + FOUND_MS) {
          refused.delete(name)
          if (!isFound(call))
            world.violated(invariant, `${name} refused ${call.program.name}, and is up ${FOUND_MS} ms later`)
        }
      }
    },
  }
  return invariant
}
