/** Everything that always holds. */
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'
import { createAgreement } from './agreement.js'
import { createBounds } from './bounds.js'
import { createClaims } from './cluster/claims.js'
import { createClusterAgreement } from './cluster/agreement.js'
import { createClusterContent } from './cluster/content.js'
import { createClusterDead } from './cluster/dead.js'
import { createClusterFinality } from './cluster/finality.js'
import { createClusterOrders } from './cluster/orders.js'
import { createQuietEngine } from './cluster/quiet-engine.js'
import { createReadiness } from './cluster/readiness.js'
import { createReplicated } from './cluster/replicated.js'
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

/** The invariants of each node of each cluster, each with a memory of its own. */
export function invariantsOf(
  clusters: readonly (readonly Scene[])[],
): readonly (readonly (readonly Invariant[])[])[] {
  if (clusters.every((nodes) => nodes.length > 1)) return clusters.map(ofCluster)
  return ofSingleNodes(clusters.flat()).map((invariants) => [invariants])
}

/** What holds in clusters of one node each. */
function ofSingleNodes(scenes: readonly Scene[]): readonly (readonly Invariant[])[] {
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

/** What holds at the nodes of a cluster. */
function ofCluster(nodes: readonly Scene[]): readonly (readonly Invariant[])[] {
  const [finality, orders] = [createClusterFinality(nodes), createClusterOrders(nodes)]
  const shared = createShared(nodes)
  return nodes.map((scene, index) => [
    createLiving(scene),
    finality[index]!,
    orders[index]!,
    createGuard(scene),
    createMirror(scene),
    createAgreement(scene),
    createQuietJournal(scene),
    createDurability(scene),
    createReplicated(scene),
    createBounds(scene),
    createIntent(scene),
    createPeace(scene),
    createHints(scene),
    createExpiry(scene),
    createWishes(scene),
    createFreeze(scene),
    createClaims(scene),
    createReadiness(scene),
    ...shared[index]!,
  ])
}

/** What one memory is kept of for all nodes: each of them tells it, and the first looks. */
function createShared(nodes: readonly Scene[]): readonly (readonly Invariant[])[] {
  const first = nodes[0]!
  const all = [createClusterDead(nodes), createClusterContent(first)]
  const ends = [createClusterAgreement(nodes), createQuietEngine(first)]
  const told = all.map(({ name, executed, beaten }): Invariant => ({
    name,
    ...(executed && { executed }),
    ...(beaten && { beaten }),
  }))
  return nodes.map((_, index) => (index === 0 ? [...all, ...ends] : told))
}
