/** All named cases. */
import type { Case } from '../case.js'
import { abandonedSession } from './abandoned-session.js'
import { clearedOverACrash } from './cleared-over-a-crash.js'
import { clockBehindAnOrder } from './clock-behind-an-order.js'
import { closedTogether } from './closed-together.js'
import { crashBeforeCommit } from './crash-before-commit.js'
import { declaredOverACrash } from './declared-over-a-crash.js'
import { declaredRemoval } from './declared-removal.js'
import { deregisteredFirst } from './deregistered-first.js'
import { drainedAndBack } from './drained-and-back.js'
import { drainedOverACrash } from './drained-over-a-crash.js'
import { drainedWhileItRenews } from './drained-while-it-renews.js'
import { drainingThroughSilence } from './draining-through-silence.js'
import { firewallWithoutBaseline } from './firewall-without-baseline.js'
import { firstSuspect } from './first-suspect.js'
import { forgottenFarewell } from './forgotten-farewell.js'
import { frozenDay } from './frozen-day.js'
import { ghostAtTheOwnAddress } from './ghost-at-the-own-address.js'
import { hungAndBack } from './hung-and-back.js'
import { hungProcess } from './hung-process.js'
import { killedForGood } from './killed-for-good.js'
import { killedProcess } from './killed-process.js'
import { lastToLeave } from './last-to-leave.js'
import { lateCopy } from './late-copy.js'
import { lateRegistration } from './late-registration.js'
import { leavingASlowReader } from './leaving-a-slow-reader.js'
import { lostDeltas } from './lost-deltas.js'
import { manyGoneQuiet } from './many-gone-quiet.js'
import { massSilence } from './mass-silence.js'
import { metadataOfALife } from './metadata-of-a-life.js'
import { mirrorOfAPoorerNode } from './mirror-of-a-poorer-node.js'
import { namelessBeats } from './nameless-beats.js'
import { namelessKeepAlive } from './nameless-keep-alive.js'
import { onAndOff } from './on-and-off.js'
import { oneClusterDown } from './one-cluster-down.js'
import { orphanOfARestart } from './orphan-of-a-restart.js'
import { quietBeats } from './quiet-beats.js'
import { quietDay } from './quiet-day.js'
import { restartUnderShortLeases } from './restart-under-short-leases.js'
import { restartedConsumers } from './restarted-consumers.js'
import { shortMemory } from './short-memory.js'
import { slowReader } from './slow-reader.js'
import { stallPastPatience } from './stall-past-patience.js'
import { stalledNode } from './stalled-node.js'
import { strangerOnThePort } from './stranger-on-the-port.js'
import { toldByAConsumer } from './told-by-a-consumer.js'
import { twoOfOneId } from './two-of-one-id.js'
import { unansweredHints } from './unanswered-hints.js'
import { untoldProvider } from './untold-provider.js'
import { updatesInARow } from './updates-in-a-row.js'
import { weightOfALife } from './weight-of-a-life.js'
import { weightsThatChange } from './weights-that-change.js'

export const CASES: Readonly<Record<string, Case>> = {
  'abandoned-session': abandonedSession,
  'cleared-over-a-crash': clearedOverACrash,
  'clock-behind-an-order': clockBehindAnOrder,
  'closed-together': closedTogether,
  'crash-before-commit': crashBeforeCommit,
  'declared-over-a-crash': declaredOverACrash,
  'declared-removal': declaredRemoval,
  'deregistered-first': deregisteredFirst,
  'drained-and-back': drainedAndBack,
  'drained-over-a-crash': drainedOverACrash,
  'drained-while-it-renews': drainedWhileItRenews,
  'draining-through-silence': drainingThroughSilence,
  'firewall-without-baseline': firewallWithoutBaseline,
  'first-suspect': firstSuspect,
  'forgotten-farewell': forgottenFarewell,
  'frozen-day': frozenDay,
  'ghost-at-the-own-address': ghostAtTheOwnAddress,
  'hung-and-back': hungAndBack,
  'hung-process': hungProcess,
  'killed-for-good': killedForGood,
  'killed-process': killedProcess,
  'last-to-leave': lastToLeave,
  'late-copy': lateCopy,
  'late-registration': lateRegistration,
  'leaving-a-slow-reader': leavingASlowReader,
  'lost-deltas': lostDeltas,
  'many-gone-quiet': manyGoneQuiet,
  'mass-silence': massSilence,
  'metadata-of-a-life': metadataOfALife,
  'mirror-of-a-poorer-node': mirrorOfAPoorerNode,
  'nameless-beats': namelessBeats,
  'nameless-keep-alive': namelessKeepAlive,
  'on-and-off': onAndOff,
  'one-cluster-down': oneClusterDown,
  'orphan-of-a-restart': orphanOfARestart,
  'quiet-beats': quietBeats,
  'quiet-day': quietDay,
  'restart-under-short-leases': restartUnderShortLeases,
  'restarted-consumers': restartedConsumers,
  'short-memory': shortMemory,
  'slow-reader': slowReader,
  'stall-past-patience': stallPastPatience,
  'stalled-node': stalledNode,
  'stranger-on-the-port': strangerOnThePort,
  'told-by-a-consumer': toldByAConsumer,
  'two-of-one-id': twoOfOneId,
  'unanswered-hints': unansweredHints,
  'untold-provider': untoldProvider,
  'updates-in-a-row': updatesInARow,
  'weight-of-a-life': weightOfALife,
  'weights-that-change': weightsThatChange,
}
