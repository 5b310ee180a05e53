/** All named cases. */
import type { Case } from '../case.js'
import { abandonedSession } from './abandoned-session.js'
import { deregisteredFirst } from './deregistered-first.js'
import { firewallWithoutBaseline } from './firewall-without-baseline.js'
import { forgottenFarewell } from './forgotten-farewell.js'
import { ghostAtTheOwnAddress } from './ghost-at-the-own-address.js'
import { hungProcess } from './hung-process.js'
import { lastToLeave } from './last-to-leave.js'
import { lateRegistration } from './late-registration.js'
import { massSilence } from './mass-silence.js'
import { mirrorOfAPoorerNode } from './mirror-of-a-poorer-node.js'
import { namelessBeats } from './nameless-beats.js'
import { namelessKeepAlive } from './nameless-keep-alive.js'
import { orphanOfARestart } from './orphan-of-a-restart.js'
import { restartUnderShortLeases } from './restart-under-short-leases.js'
import { shortMemory } from './short-memory.js'
import { slowReader } from './slow-reader.js'
import { stallPastPatience } from './stall-past-patience.js'
import { stalledNode } from './stalled-node.js'
import { strangerOnThePort } from './stranger-on-the-port.js'
import { untoldProvider } from './untold-provider.js'

export const CASES: Readonly<Record<string, Case>> = {
  'abandoned-session': abandonedSession,
  'deregistered-first': deregisteredFirst,
  'firewall-without-baseline': firewallWithoutBaseline,
  'forgotten-farewell': forgottenFarewell,
  'ghost-at-the-own-address': ghostAtTheOwnAddress,
  'hung-process': hungProcess,
  'last-to-leave': lastToLeave,
  'late-registration': lateRegistration,
  'mass-silence': massSilence,
  'mirror-of-a-poorer-node': mirrorOfAPoorerNode,
  'nameless-beats': namelessBeats,
  'nameless-keep-alive': namelessKeepAlive,
  'orphan-of-a-restart': orphanOfARestart,
  'restart-under-short-leases': restartUnderShortLeases,
  'short-memory': shortMemory,
  'slow-reader': slowReader,
  'stall-past-patience': stallPastPatience,
  'stalled-node': stalledNode,
  'stranger-on-the-port': strangerOnThePort,
  'untold-provider': untoldProvider,
}
