/**
 * Registration, heartbeat and deregistration: which incarnation may hold an id, what renews what, and what
 * is final. Every write goes through the one merge.
 */
import {
  defined,
  type ErrorBody,
  errorBody,
  type HeartbeatResponse,
  type Limits,
  type ResolvedRef,
  type State,
} from '@rollcall/wire'
import { admit, type AdmissionMode, checkCommand, checkKey } from './admission.js'
import type { Site } from '../directory/accounts.js'
import type { Cause } from '../directory/change.js'
import type { Directory, Entry } from '../directory/directory.js'
import type { ListingRoom } from '../directory/listing-room.js'
import type { LivenessRules } from '../liveness/liveness.js'
import type { Session, Step } from '../caller.js'
import type { Answers, RegisterCommand, RemovalLists } from '../commands.js'
import type { Meter } from '../metrics.js'
import { contentOf, sameContent } from './content.js'
import { isAhead, standsBy, taken, voucherOf } from './standby.js'
import { above, type IncarnationBound, unexceedable } from './incarnation-bound.js'
import type { ProbeRules } from './probe.js'
import type { GoneContent, LiveContent, StoredRecord, Verdict } from '../records/record.js'
import { isLive, isStray, type LiveRecord, sameAddress, shownReason } from '../records/state.js'
import { REFUSED, REGISTERED } from '../liveness/transitions.js'

export interface RegistrarDeps {
  readonly directory: Directory
  readonly room: ListingRoom
  readonly liveness: LivenessRules
  readonly meter: Meter
  readonly incarnationBound: IncarnationBound
}

export interface RegistrarOptions {
  readonly nodeId: string
  readonly admission: AdmissionMode
  readonly limits: Limits
  readonly probes: ProbeRules
}

/** A registration that was accepted, or why not. */
type Accepted =
  | { readonly ok: true; readonly incarnation: number; readonly entry: Entry }
  | { readonly ok: false; readonly error: ErrorBody }

/** How a beat was taken. */
type BeatOutcome = 'heard' | 'unknown' | 'deregistered' | 'superseded'

/** How a deregistration was taken: of an incarnation that was not known, it is final all the same. */
type RemovalOutcome = 'removed' | 'unknown' | 'superseded' | ErrorBody

export class Registrar {
  private readonly deps: RegistrarDeps
  private readonly options: RegistrarOptions
  /** The verdict every accepted incarnation begins with; one object for all of them. */
  private readonly first: Verdict

  constructor(deps: RegistrarDeps, options: RegistrarOptions) {
    this.deps = deps
    this.options = options
    const { value, reason } = REGISTERED
    this.first = { value, claim: 1, node: options.nodeId, seq: 0, reason }
  }

  /** Registers each item, or says why not; a refused one changes nothing. */
  registerAll(items: readonly RegisterCommand[], step: Step): Answers['register'] {
    return items.map((item) => {
      const accepted = this.register(item, step)
      this.deps.meter.count('rollcall_registrations_total', 1, accepted.ok ? 'ok' : accepted.error.code)
      if (!accepted.ok) return accepted
      const { service, group, id } = item
      const { incarnation, entry } = accepted
      const result = { ok: true, service, group, id, incarnation } as const
      const differing = unexpected(entry, item)
      return differing === undefined ? result : { ...result, ...differing }
    })
  }

  /** Takes beats, each with what became of it. */
  heard(refs: readonly ResolvedRef[], now: number): HeartbeatResponse {
    const unknown: ResolvedRef[] = []
    const deregistered: ResolvedRef[] = []
    const superseded: ResolvedRef[] = []
    const errors: ErrorBody[] = []
    for (let index = 0; index < refs.length; index++) {
      const ref = refs[index] as ResolvedRef
      const outcome = this.beat(ref, now)
      if (outcome === 'heard') continue
      if (typeof outcome !== 'string') errors.push(ofItem(outcome, index))
      else if (outcome === 'unknown') unknown.push(ref)
      else if (outcome === 'deregistered') deregistered.push(ref)
      else superseded.push(ref)
    }
    this.deps.meter.count('rollcall_heartbeats_total', refs.length)
    return { unknown, deregistered, superseded, ...listed(errors) }
  }

  /** Ends each incarnation for good, also those that this node never heard of. */
  deregisterAll(refs: readonly ResolvedRef[], by: GoneContent['by'], step: Step): RemovalLists {
    const removed: ResolvedRef[] = []
    const unknown: ResolvedRef[] = []
    const superseded: ResolvedRef[] = []
    const errors: ErrorBody[] = []
    for (const [index, ref] of refs.entries()) {
      const outcome = this.deregister(ref, by, step)
      if (typeof outcome !== 'string') errors.push(ofItem(outcome, index))
      else if (outcome === 'removed') removed.push(ref)
      else if (outcome === 'superseded') superseded.push(ref)
      else unknown.push(ref)
    }
    this.deps.meter.count('rollcall_deregistrations_total', removed.length)
    return { removed, unknown, superseded, ...listed(errors) }
  }

  private register(command: RegisterCommand, step: Step): Accepted {
    const site = this.deps.directory.site(command)
    const error = this.refusal(command, step.caller.peer, site)
    if (error !== undefined) return { ok: false, error }
    const { entry } = site
    const strange = this.strange(command, entry)
    if (strange !== undefined) return { ok: false, error: strange }
    const { wallNow } = step
    if (command.finding === true) return this.writeDown(command, entry, step)
    if (entry === undefined) return this.accept(command, site, command.incarnation ?? wallNow, step)
    const { record } = entry
    const named = command.incarnation !== undefined
    if (!named && isLive(record) && sameAddress(record.content, command) && mayLive(record))
      return this.renew(entry, record, command, step)
    const next = above(record.incarnation)
    if (next === undefined && !(named && isLive(record)))
      return { ok: false, error: unexceedable(record.id, record.incarnation) }
    const incarnation = command.incarnation ?? Math.max(wallNow, next ?? 0)
    if (incarnation > record.incarnation) {
      const { liveness } = this.deps
      const ahead = isAhead(liveness, entry, command) && standsBy(liveness, entry, command, step)
      return ahead ? { ok: false, error: taken(record, true) } : this.accept(command, site, incarnation, step)
    }
    if (incarnation === record.incarnation && isLive(record)) return this.renew(entry, record, command, step)
    return { ok: false, error: this.tooLate(entry, incarnation, command, step) }
  }

  /** A beat: evidence for the incarnation it names, or for a record that was registered without one. */
  private beat(ref: ResolvedRef, now: number): BeatOutcome | ErrorBody {
    const entry = this.deps.directory.entry(ref)
    // Only what is not held is looked at: who beats for a name that cannot be would register for ever.
    const strange = (entry === undefined ? checkKey(ref) : undefined) ?? this.strange(ref, entry)
    if (strange !== undefined) return strange
    if (entry === undefined) return 'unknown'
    const { record } = entry
    if (ref.incarnation !== undefined) {
      if (ref.incarnation > record.incarnation) return 'unknown'
      // What an operator brought back was deregistered before: its process registers anew and takes its place.
      const restored = isLive(record) && record.content.restored === true
      if (ref.incarnation < record.incarnation) return restored ? 'deregistered' : 'superseded'
    } else if (isLive(record) && record.content.named) {
      return 'superseded'
    }
    if (!isLive(record)) return 'deregistered'
    this.deps.liveness.hear(entry, now, 'beat')
    return 'heard'
  }

  private deregister(ref: ResolvedRef, by: GoneContent['by'], step: Step): RemovalOutcome {
    const entry = this.deps.directory.entry(ref)
    const strange = (entry === undefined ? checkKey(ref) : undefined) ?? this.strange(ref, entry)
    if (strange !== undefined) return strange
    if (entry === undefined) {
      if (ref.incarnation === undefined) return 'unknown'
      return this.bury(ref, ref.incarnation, 0, by, step) ?? 'unknown'
    }
    const { record } = entry
    const { sessions } = this.deps.liveness
    // It holds nothing: another process at its address does.
    if (sessions.line.leave(entry, step.caller.session)) return 'superseded'
    if (ref.incarnation !== undefined && ref.incarnation > record.incarnation)
      return this.bury(record, ref.incarnation, isStray(record) ? 0 : 1, by, step) ?? 'unknown'
    if (ref.incarnation !== undefined && ref.incarnation < record.incarnation) return 'superseded'
    if (!isLive(record)) return 'unknown'
    if (ref.incarnation === undefined && record.content.named && by === 'provider') return 'superseded'
    return this.bury(record, record.incarnation, Math.max(1, record.content.rev), by, step) ?? 'removed'
  }

  /** Why a client may not name such a number: the one place where one enters. */
  private strange({ incarnation }: Pick<ResolvedRef, 'incarnation'>, entry?: Entry): ErrorBody | undefined {
    if (incarnation === undefined) return undefined
    return this.deps.incarnationBound.refusal(incarnation, entry?.record.incarnation)
  }

  /** Why a registration is not admitted, on whose behalf ever it is made. */
  refusal(
    command: RegisterCommand,
    peer?: string,
    { service }: Site = this.deps.directory.site(command),
  ): ErrorBody | undefined {
    return (
      checkCommand(command, this.options.limits, peer, this.options.probes) ??
      admit(command, {
        mode: this.options.admission,
        namespace: this.deps.directory.namespaceSettings.get(command.namespace),
        service: service?.settings,
      })
    )
  }

  /** Why there is no room for a record, on behalf of a peer; what takes no more room than before is let through. */
  full(
    record: StoredRecord,
    peer?: string,
    site: Site = this.deps.directory.site(record),
  ): ErrorBody | undefined {
    const { directory, room } = this.deps
    const unlisted = isLive(record) ? room.refusal(record, site.service) : undefined
    return unlisted ?? directory.refusal(record, peer, site)
  }

  /** A number that is not above the stored one: taken by the living, or to be raised over the dead. */
  private tooLate(entry: Entry, incarnation: number, command: RegisterCommand, step: Step): ErrorBody {
    const { record } = entry
    const details = { incarnation: record.incarnation }
    if (incarnation === record.incarnation) {
      return errorBody(
        'deregistered',
        `incarnation ${incarnation} of ${record.id} was deregistered`,
        undefined,
        details,
      )
    }
    const { liveness } = this.deps
    const heardMs = liveness.silenceMs(entry, step.now)
    const same = isLive(record) && sameAddress(record.content, command)
    // Of processes behind one port the next one may take over as soon as the session of the first has closed.
    const left = same && liveness.insight.isLeft(entry)
    const heard = isLive(record) && heardMs !== undefined && heardMs < record.content.leaseMs && !left
    // A verdict `up` that this node only knows from the journal proves nothing where the newcomer has the holder's
    // own address: it is the newcomer who answers the probes there. That of another node does: it hears the holder.
    const elsewhere = this.deps.directory.joined && !liveness.insight.isJudge(entry)
    if (heard || (isLive(record) && record.verdict.value === 'up' && (!same || elsewhere)))
      return taken(record, same && standsBy(liveness, entry, command, step))
    return errorBody(
      'superseded',
      `incarnation ${record.incarnation} of ${record.id} was here before`,
      undefined,
      details,
    )
  }

  private accept(command: RegisterCommand, site: Site, incarnation: number, step: Step): Accepted {
    const named = command.incarnation !== undefined
    const content = contentOf(command, incarnation, command.rev ?? 1, named, step.caller.peer)
    // The names as the strings that the directory holds already: a hundred thousand records share them.
    const record: StoredRecord = {
      namespace: site.service?.namespace ?? command.namespace,
      service: site.service?.service ?? command.service,
      group: site.group?.group ?? command.group,
      id: command.id,
      incarnation,
      content,
      verdict: this.first,
    }
    const error = this.full(record, step.caller.peer, site)
    if (error !== undefined) return { ok: false, error }
    const cause: Cause = { kind: 'registration', session: voucherOf(command, step) }
    const change = this.deps.directory.propose(record, cause, step.now, site)
    if (change === undefined) throw new Error('a higher incarnation must change the record')
    return { ok: true, incarnation, entry: change.entry }
  }

  /** The same incarnation again: evidence in any case, and new content if its rev says so. */
  private renew(entry: Entry, record: LiveRecord, command: RegisterCommand, step: Step): Accepted {
    const { liveness, directory } = this.deps
    const { now } = step
    const session = voucherOf(command, step)
    const cause: Cause = { kind: 'registration', session }
    const { incarnation } = record
    const stored = record.content
    const told = contentOf(command, incarnation, command.rev ?? stored.rev, stored.named, step.caller.peer)
    const restored = command.finding === true && stored.restored === true
    const offered: LiveContent = restored ? { ...told, restored } : told
    const different = !sameContent(stored, offered)
    if (different && command.rev === undefined && stored.rev === Number.MAX_SAFE_INTEGER)
      return { ok: false, error: finished(record) }
    if (different && offered.rev >= stored.rev) {
      const content = command.rev === undefined ? { ...offered, rev: stored.rev + 1 } : offered
      const renewed = { ...record, content }
      const error = this.full(renewed, step.caller.peer)
      if (error !== undefined) return { ok: false, error }
      directory.propose(renewed, cause, now)
    } else if (offered.rev > stored.rev) {
      directory.propose({ ...record, content: { ...stored, rev: offered.rev } }, cause, now)
    }
    if (command.finding !== true) liveness.hear(entry, now, 'registration', session)
    return { ok: true, incarnation, entry }
  }

  /** What was found of an incarnation, where that is still the one which is registered. */
  private writeDown(command: RegisterCommand, entry: Entry | undefined, step: Step): Accepted {
    const record = entry?.record
    if (
      entry === undefined ||
      record === undefined ||
      !isLive(record) ||
      !sameAddress(record.content, command)
    )
      return { ok: false, error: errorBody('unknown_instance', `${command.id} is not registered`) }
    return this.renew(entry, record, command, step)
  }

  /** Ends an incarnation, unless that needs room which there is not: what was registered has its room. */
  private bury(
    key: ResolvedRef | StoredRecord,
    incarnation: number,
    rev: number,
    by: GoneContent['by'],
    { caller, now }: Step,
  ): ErrorBody | undefined {
    const { namespace, service, group, id } = key
    // A removal by host is no session's own doing, whichever asks for it.
    const session = by === 'provider' ? caller.session : undefined
    const last = this.mistakable(key, incarnation, session)
    const content: GoneContent = { intent: 'gone', rev, by, ...(last === undefined ? {} : { last }) }
    const record: StoredRecord = { namespace, service, group, id, incarnation, content, verdict: this.first }
    const error = this.full(record, caller.peer)
    if (error === undefined)
      this.deps.directory.propose(record, { kind: 'removal', session, peer: caller.peer }, now)
    return error
  }

  /**
   * What an incarnation offered, unless it leaves by its own doing: only a removal by others may be a mistake. Where memory
   * is short, what is to be undone has to make room for the living.
   */
  private mistakable(
    key: ResolvedRef,
    incarnation: number,
    session: Session | undefined,
  ): LiveContent | undefined {
    const { directory, liveness } = this.deps
    const entry = directory.entry(key)
    if (entry === undefined || entry.record.incarnation !== incarnation || !isLive(entry.record))
      return undefined
    if (!directory.accounts.isRoomy) return undefined
    const itself = session !== undefined && liveness.isVouchedBy(entry, session)
    return itself ? undefined : entry.record.content
  }
}

/** The error of one item of a list. */
function ofItem(error: ErrorBody, index: number): ErrorBody {
  const { field } = error
  return { ...error, field: field === undefined ? `instances[${index}]` : `instances[${index}].${field}` }
}

function listed(errors: readonly ErrorBody[]): { readonly errors?: readonly ErrorBody[] } {
  return errors.length === 0 ? {} : { errors }
}

/** What consumers see of a registration, where that is not what it asked for. */
function unexpected(
  { record, state }: Entry,
  { intent }: RegisterCommand,
): { readonly state: State; readonly reason?: string } | undefined {
  if (state === null || state === intent) return undefined
  return { state, ...defined({ reason: shownReason(record, state) }) }
}

/** A journal of a release that took any rev: nothing newer can be told of this incarnation. */
function finished({ id, incarnation }: LiveRecord): ErrorBody {
  return errorBody(
    'invalid_argument',
    `rev of incarnation ${incarnation} of ${id} cannot grow; register with a higher incarnation`,
    'rev',
  )
}

/** Whether it may be the process of the record that registers without a number, not another one in its place. */
function mayLive({ verdict: { value, reason } }: LiveRecord): boolean {
  return value !== 'expired' && !(value === 'down' && reason === REFUSED.reason)
}
