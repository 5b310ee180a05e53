/** Everything that always holds. */
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'
import { createAgreement } from './agreement.js'
import { createBounds } from './bounds.js'
import { createContent } from './content.js'
import { createDamping } from './damping.js'
import { createDead } from './dead.js'
import { createDoubt } from './doubt.js'
import { createDurability } from './durability.js'
import { createExpiry } from './expiry.js'
import { createFarewell } from './farewell.js'
import { createFinality } from './finality.js'
import { createGuard } from './guard.js'
import { createHints } from './hints.js'
import { createIntent } from './intent.js'
import { createLiving } from './living.js'
import { createMerge } from './merge.js'
import { createMirror } from './mirror.js'
import { createFreeze } from './freeze.js'
import { createOrders } from './orders.js'
import { createPeace } from './peace.js'
import { createQuietJournal } from './quiet-journal.js'
import { createSteadiness } from './steadiness.js'
import { createWishes } from './wishes.js'

/** The invariants of each cluster, each with a memory of its own. */
export function invariantsOf(scenes: readonly Scene[]): readonly (readonly Invariant[])[] {
  const [dead, finality] = [createDead(scenes), createFinality(scenes)]
  return scenes.map((scene, index) => [
    createLiving(scene),
    dead[index]!,
    finality[index]!,
    createGuard(scene),
    ...(scenes.length === 1 ? [createMirror(scene)] : index === 0 ? [createMerge(scenes)] : []),
    createAgreement(scene),
    createQuietJournal(scene),
    createDurability(scene),
    createBounds(scene),
    createSteadiness(scene),
    createIntent(scene),
    createPeace(scene),
    createContent(scene),
    createDoubt(scene),
    createDamping(scene),
    createHints(scene),
    createExpiry(scene),
    createFarewell(scene),
    createOrders(scene),
    createWishes(scene),
    createFreeze(scene),
  ])
}
