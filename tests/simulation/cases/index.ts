/** All named cases. */
import type { Case } from '../case.js'
import { abandonedSession } from './abandoned-session.js'
import { adoptedUnheard } from './adopted-unheard.js'
import { aloneForAWhile } from './alone-for-a-while.js'
import { beatsBehindABalancer } from './beats-behind-a-balancer.js'
import { beatsElsewhere } from './beats-elsewhere.js'
import { clearedOverACrash } from './cleared-over-a-crash.js'
import { clockBehindAnOrder } from './clock-behind-an-order.js'
import { closedTogether } from './closed-together.js'
import { crashBeforeCommit } from './crash-before-commit.js'
import { declaredOverACrash } from './declared-over-a-crash.js'
import { declaredRemoval } from './declared-removal.js'
import { deregisteredFirst } from './deregistered-first.js'
import { deregisteredWithoutEngine } from './deregistered-without-engine.js'
import { drainedAndBack } from './drained-and-back.js'
import { drainedOverACrash } from './drained-over-a-crash.js'
import { drainedWhileItRenews } from './drained-while-it-renews.js'
import { drainingThroughSilence } from './draining-through-silence.js'
import { engineRestored } from './engine-restored.js'
import { engineWiped } from './engine-wiped.js'
import { firewallWithoutBaseline } from './firewall-without-baseline.js'
import { firstSuspect } from './first-suspect.js'
import { forgottenFarewell } from './forgotten-farewell.js'
import { frozenAtAnotherNode } from './frozen-at-another-node.js'
import { frozenDay } from './frozen-day.js'
import { ghostAtTheOwnAddress } from './ghost-at-the-own-address.js'
import { hungAndBack } from './hung-and-back.js'
import { hungProcess } from './hung-process.js'
import { islandAmongPeers } from './island-among-peers.js'
import { judgeApart } from './judge-apart.js'
import { killedForGood } from './killed-for-good.js'
import { killedProcess } from './killed-process.js'
import { lastToLeave } from './last-to-leave.js'
import { lateCopy } from './late-copy.js'
import { lateRegistration } from './late-registration.js'
import { leavingASlowReader } from './leaving-a-slow-reader.js'
import { lostDeltas } from './lost-deltas.js'
import { lostWithItsInstances } from './lost-with-its-instances.js'
import { manyGoneQuiet } from './many-gone-quiet.js'
import { massSilence } from './mass-silence.js'
import { metadataOfALife } from './metadata-of-a-life.js'
import { mirrorOfAPoorerNode } from './mirror-of-a-poorer-node.js'
import { namelessBeats } from './nameless-beats.js'
import { namelessKeepAlive } from './nameless-keep-alive.js'
import { newNodeWithoutEngine } from './new-node-without-engine.js'
import { onAndOff } from './on-and-off.js'
import { oneClusterDown } from './one-cluster-down.js'
import { orphanOfARestart } from './orphan-of-a-restart.js'
import { quietBeats } from './quiet-beats.js'
import { quietDay } from './quiet-day.js'
import { replicatedIsHeld } from './replicated-is-held.js'
import { restartUnderShortLeases } from './restart-under-short-leases.js'
import { restartedConsumers } from './restarted-consumers.js'
import { shortMemory } from './short-memory.js'
import { slowReader } from './slow-reader.js'
import { stallPastPatience } from './stall-past-patience.js'
import { stalledNode } from './stalled-node.js'
import { strangerOnThePort } from './stranger-on-the-port.js'
import { toldByAConsumer } from './told-by-a-consumer.js'
import { toldElsewhere } from './told-elsewhere.js'
import { twoOfOneId } from './two-of-one-id.js'
import { twoOperators } from './two-operators.js'
import { unansweredHints } from './unanswered-hints.js'
import { untoldProvider } from './untold-provider.js'
import { updatesInARow } from './updates-in-a-row.js'
import { weightOfALife } from './weight-of-a-life.js'
import { weightsThatChange } from './weights-that-change.js'
import { writtenOnAnIsland } from './written-on-an-island.js'

export const CASES: Readonly<Record<string, Case>> = {
  'abandoned-session': abandonedSession,
  'adopted-unheard': adoptedUnheard,
  'alone-for-a-while': aloneForAWhile,
  'beats-behind-a-balancer': beatsBehindABalancer,
  'beats-elsewhere': beatsElsewhere,
  'cleared-over-a-crash': clearedOverACrash,
  'clock-behind-an-order': clockBehindAnOrder,
  'closed-together': closedTogether,
  'crash-before-commit': crashBeforeCommit,
  'declared-over-a-crash': declaredOverACrash,
  'declared-removal': declaredRemoval,
  'deregistered-first': deregisteredFirst,
  'deregistered-without-engine': deregisteredWithoutEngine,
  'drained-and-back': drainedAndBack,
  'drained-over-a-crash': drainedOverACrash,
  'drained-while-it-renews': drainedWhileItRenews,
  'draining-through-silence': drainingThroughSilence,
  'engine-restored': engineRestored,
  'engine-wiped': engineWiped,
  'firewall-without-baseline': firewallWithoutBaseline,
  'first-suspect': firstSuspect,
  'forgotten-farewell': forgottenFarewell,
  'frozen-at-another-node': frozenAtAnotherNode,
  'frozen-day': frozenDay,
  'ghost-at-the-own-address': ghostAtTheOwnAddress,
  'hung-and-back': hungAndBack,
  'hung-process': hungProcess,
  'island-among-peers': islandAmongPeers,
  'judge-apart': judgeApart,
  'killed-for-good': killedForGood,
  'killed-process': killedProcess,
  'last-to-leave': lastToLeave,
  'late-copy': lateCopy,
  'late-registration': lateRegistration,
  'leaving-a-slow-reader': leavingASlowReader,
  'lost-deltas': lostDeltas,
  'lost-with-its-instances': lostWithItsInstances,
  'many-gone-quiet': manyGoneQuiet,
  'mass-silence': massSilence,
  'metadata-of-a-life': metadataOfALife,
  'mirror-of-a-poorer-node': mirrorOfAPoorerNode,
  'nameless-beats': namelessBeats,
  'nameless-keep-alive': namelessKeepAlive,
  'new-node-without-engine': newNodeWithoutEngine,
  'on-and-off': onAndOff,
  'one-cluster-down': oneClusterDown,
  'orphan-of-a-restart': orphanOfARestart,
  'quiet-beats': quietBeats,
  'quiet-day': quietDay,
  'replicated-is-held': replicatedIsHeld,
  'restart-under-short-leases': restartUnderShortLeases,
  'restarted-consumers': restartedConsumers,
  'short-memory': shortMemory,
  'slow-reader': slowReader,
  'stall-past-patience': stallPastPatience,
  'stalled-node': stalledNode,
  'stranger-on-the-port': strangerOnThePort,
  'told-by-a-consumer': toldByAConsumer,
  'told-elsewhere': toldElsewhere,
  'two-of-one-id': twoOfOneId,
  'two-operators': twoOperators,
  'unanswered-hints': unansweredHints,
  'untold-provider': untoldProvider,
  'updates-in-a-row': updatesInARow,
  'weight-of-a-life': weightOfALife,
  'weights-that-change': weightsThatChange,
  'written-on-an-island': writtenOnAnIsland,
}
