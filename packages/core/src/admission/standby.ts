/** Which registrations stand in line for an id that another process holds at the same address. */
import { type ErrorBody, errorBody } from '@rollcall/wire'
import type { Session, Step } from '../caller.js'
import type { RegisterCommand } from '../commands.js'
import type { Entry } from '../directory/directory.js'
import type { LivenessRules } from '../liveness/liveness.js'
import type { StoredRecord } from '../records/record.js'
import { isLive, sameAddress } from '../records/state.js'

/** Whether the holder of the address is well, while this one has yet to start: it would be called for nothing. */
export function isAhead({ insight }: LivenessRules, entry: Entry, command: RegisterCommand): boolean {
  if (command.intent !== 'starting' || entry.state !== 'up') return false
  return isLive(entry.record) && sameAddress(entry.record.content, command) && insight.isVouched(entry)
}

/** The session stands in line for the id from now on, if it can. */
export function standsBy(
  { sessions }: LivenessRules,
  entry: Entry,
  command: RegisterCommand,
  step: Step,
): boolean {
  const session = voucherOf(command, step)
  return sessions.has(session) && sessions.line.join(entry, session)
}

/** Another process holds the id; `standby`: at the same address, and this one is next when it leaves. */
export function taken({ id, incarnation }: StoredRecord, standby: boolean): ErrorBody {
  const details = standby ? { incarnation, standby } : { incarnation }
  return errorBody('id_taken', `id ${id} is held by a live process`, 'id', details)
}

/** The session that vouches for what is registered, if one does. */
export function voucherOf({ liveness }: RegisterCommand, { caller }: Step): Session | undefined {
  return liveness === 'lease' ? caller.session : undefined
}
