/** Everything that always holds. */
import type { Invariant } from './invariant.js'
import type { World } from '../world/world.js'
import { createAgreement } from './agreement.js'
import { createBounds } from './bounds.js'
import { createDead } from './dead.js'
import { createDurability } from './durability.js'
import { createFinality } from './finality.js'
import { createGuard } from './guard.js'
import { createIntent } from './intent.js'
import { createLiving } from './living.js'
import { createMirror } from './mirror.js'
import { createPeace } from './peace.js'
import { createQuietJournal } from './quiet-journal.js'
import { createSteadiness } from './steadiness.js'

/** The invariants of a world, each with a memory of its own. */
export function invariantsOf(world: World): readonly Invariant[] {
  return [
    createLiving(world),
    createDead(world),
    createFinality(world),
    createGuard(world),
    createMirror(world),
    createAgreement(world),
    createQuietJournal(world),
    createDurability(world),
    createBounds(world),
    createSteadiness(world),
    createIntent(world),
    createPeace(world),
  ]
}
