/** Invariant I4: mass silence is not believed. */
import type { Instance, ViewName } from '@rollcall/wire'
import type { Invariant } from './invariant.js'
import { isJoined, isTogether, type Scene, unrestAt } from '../world/scene.js'

/** Reasons that are silence and nothing else. */
const SILENCE: ReadonlySet<string> = new Set(['silence', 'unheard', 'session_closed'])

/** What nodes doubted while they were apart all of them know by then. */
const TELLING_MS = 5_000

/**
 * I4: of n listed records, silence alone holds at most min(max(1, floor(0.3 n)), n - 1) `down`, and never the last. While nodes
 * do not hear of each other, each may take so many. What one learns that another one took down was allowed there: others may have
 * left since.
 */
export function createGuard(world: Scene): Invariant {
  const others = world.nodes.filter((each) => each !== world)
  const isLearnt = (name: ViewName, { group, id, incarnation }: Instance): boolean =>
    others.some(({ book }) =>
      book
        .current(name)
        .view?.instances.some(
          (each) =>
            each.id === id && each.group === group && each.incarnation === incarnation && isSilent(each),
        ),
    )

  const invariant: Invariant = {
    name: 'I4 guard',
    viewed(name, view, before) {
      if (name.group !== undefined || before === undefined) return
      const was = new Set(before.instances.filter(isSilent).map(idOf))
      const silent = view.instances.filter(isSilent)
      const n = view.instances.length
      const share = Math.max(0, Math.min(Math.max(1, Math.floor(0.3 * n)), n - 1))
      const apart = isJoined(world) && !(isTogether(world) && world.queue.now >= unrestAt(world) + TELLING_MS)
      const allowed = Math.min(Math.max(0, n - 1), apart ? share * world.nodes.length : share)
      const more = silent.filter((instance) => !was.has(idOf(instance)) && !isLearnt(name, instance))
      // Others may leave: then too many are down already, and no other may follow.
      if (more.length > 0 && silent.length > allowed) {
        world.violated(
          invariant,
          `silence holds ${silent.length} of ${n} in ${name.service} down; ${allowed} are allowed`,
        )
      }
    },
  }
  return invariant
}

function isSilent({ state, reason }: Instance): boolean {
  return state === 'down' && SILENCE.has(reason ?? '')
}

function idOf({ group, id, incarnation }: Instance): string {
  return `${group}/${id}#${incarnation}`
}
