/**
 * The operator's register. An override binds to an id (drain, disable) or to one incarnation of it (weight); one that
 * was taken back stays in the record for the retention, so that it wins over what it took back everywhere.
 */
import {
  type ErrorBody,
  errorBody,
  LIMITS,
  OPERATOR_LIMITS,
  type OverridesList,
  type OverrideSummary,
  type ResolvedRef,
  type Signature,
} from '@rollcall/wire'
import type { Change, Follower } from '../directory/change.js'
import { checkKey } from '../admission/admission.js'
import type { Directory, Entry } from '../directory/directory.js'
import { noToken } from '../directory/listing.js'
import { Ordered } from '../directory/ordered.js'
import type { OverrideClearance, OverrideCommand, OverrideOutcome } from '../commands.js'
import { hash64 } from '../records/hash.js'
import { isStanding } from '../records/override.js'
import type { Override, StoredRecord, Wishes } from '../records/record.js'
import { nextRegister, type Writer } from '../records/register.js'
import { Remembered } from '../records/remembered.js'
import { isLive, isStray } from '../records/state.js'

export interface OverridesQuery {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly service?: string
  /** Read on after this `next` token. */
  readonly after?: string
  /** Default 1,000, at most 10,000. */
  readonly limit?: number
}

/**
 * The judge of an instance ends an override whose time is over. Where it does not, because it is gone, another node does after
 * this long, in which an instance has another judge; they do not all do it at once.
 */
const OTHERS_MS = 10_000
const OTHERS_SPREAD_MS = 10_000

/** What is written when a duration is over. */
const OVER: Signature = { why: 'its time was over' }

const WANTS = ['drain', 'disable', 'weight'] as const
type Want = (typeof WANTS)[number]

const PAGE_DEFAULT = 1_000
const PAGE_MAX = 10_000

export class Overrides implements Follower {
  private readonly directory: Directory
  private readonly writer: Writer
  /** Entries whose override wants something, in the order in which they are listed. */
  private readonly standing = new Ordered<Entry>(({ record }) => tokenOf(record))
  /** What each of them wants. */
  private readonly wished = new Map<Entry, Wishes>()
  private readonly tally: Record<Want, number> = { drain: 0, disable: 0, weight: 0 }
  /** When those that end by themselves do. */
  private readonly timed = new Map<Entry, number>()
  private nextDue = Infinity
  /** How long after that this node ends what another one should have. */
  private readonly graceMs: number
  /** Entries whose override was taken back: at most one for each record. */
  private readonly removed: Remembered<Entry>

  constructor(directory: Directory, writer: Writer, retentionMs: number) {
    this.directory = directory
    this.writer = writer
    this.removed = new Remembered(retentionMs, Infinity)
    this.graceMs = OTHERS_MS + ((hash64(writer.nodeId).lo >>> 0) % OTHERS_SPREAD_MS)
  }

  /** Overrides that stand. */
  get size(): number {
    return this.standing.size
  }

  /** How many want what; one may want several things. */
  get wants(): Readonly<Record<Want, number>> {
    return this.tally
  }

  /** Judges each reference by itself; an ErrorBody where the command as a whole makes no sense. */
  put(command: OverrideCommand, now: number): OverrideOutcome[] | ErrorBody {
    const error = checkWishes(command)
    if (error !== undefined) return error
    const { refs, drain, disable, weight, durationMs } = command
    return refs.map((ref, index) =>
      this.write(ref, index, command, now, weight !== undefined, (record) => ({
        ...(drain === true ? { drain } : {}),
        ...(disable === true ? { disable } : {}),
        ...(weight === undefined ? {} : { weight: { value: weight, incarnation: record.incarnation } }),
        ...(durationMs === undefined ? {} : { durationMs }),
      })),
    )
  }

  /** Takes back whatever stands; nothing is written where nothing does. */
  clear(clearance: OverrideClearance, now: number): OverrideOutcome[] {
    return clearance.refs.map((ref, index) => this.write(ref, index, clearance, now, false, () => null))
  }

  /** The overrides that stand, one page of them. */
  list({ namespace, service, after, limit = PAGE_DEFAULT }: OverridesQuery, now: number): OverridesList {
    if (after !== undefined && !isToken(after)) throw noToken()
    const prefix = namespace === undefined ? '' : `${namespace}/${service === undefined ? '' : `${service}/`}`
    const begin = after === undefined || after < prefix ? prefix : after
    const max = Math.max(1, Math.min(limit, PAGE_MAX))
    const page: Entry[] = []
    for (const entry of this.standing.from(begin)) {
      const token = tokenOf(entry.record)
      if (!token.startsWith(prefix)) break
      if (token === after || (service !== undefined && entry.record.service !== service)) continue
      page.push(entry)
      if (page.length > max) break
    }
    const more = page.length > max && page.pop() !== undefined
    const last = page.at(-1)
    return {
      overrides: page.map((entry) => this.summary(entry, now)),
      ...(last !== undefined && more ? { next: tokenOf(last.record) } : {}),
    }
  }

  /** How long the override of an entry still stands; undefined where it does not end by itself. */
  remainingMs(entry: Entry, now: number): number | undefined {
    const dueAt = this.timed.get(entry)
    return dueAt === undefined ? undefined : Math.max(0, Math.round(dueAt - now))
  }

  changed({ entry, previous }: Change, now: number): void {
    const { record } = entry
    if (previous?.override !== record.override) this.noted(entry, now)
    else if (this.timed.size > 0 && previous?.verdict.node !== record.verdict.node)
      this.nextDue = Math.min(this.nextDue, this.endsAt(entry, this.timed.get(entry) ?? Infinity))
  }

  /** Another override than before is on the record of an entry, or the journal had it. */
  noted(entry: Entry, now: number): void {
    const { override } = entry.record
    if (override === undefined) return
    this.timed.delete(entry)
    this.standing.delete(tokenOf(entry.record))
    const { value } = override
    this.count(entry, value)
    if (value === null) {
      this.removed.note(entry, now)
      return
    }
    this.removed.drop(entry)
    this.standing.add(entry)
    if (value.durationMs === undefined) return
    const dueAt = now + value.durationMs
    this.timed.set(entry, dueAt)
    this.nextDue = Math.min(this.nextDue, this.endsAt(entry, dueAt))
  }

  /** When this node ends what is over at `dueAt`. */
  private endsAt({ record }: Entry, dueAt: number): number {
    const isJudge = !this.directory.joined || record.verdict.node === this.writer.nodeId
    return isJudge ? dueAt : dueAt + this.graceMs
  }

  forgotten(entry: Entry): void {
    if (entry.record.override !== undefined) this.standing.delete(tokenOf(entry.record))
    this.count(entry, null)
    this.timed.delete(entry)
    this.removed.drop(entry)
  }

  /** An override wants this from now on; null = nothing. */
  private count(entry: Entry, wishes: Wishes | null): void {
    const before = this.wished.get(entry)
    for (const want of WANTS) {
      if (before?.[want] !== undefined) this.tally[want]--
      if (wishes?.[want] !== undefined) this.tally[want]++
    }
    if (wishes === null) this.wished.delete(entry)
    else this.wished.set(entry, wishes)
  }

  /** Ends what is over, and forgets what ended long enough ago. O(1) while nothing did. */
  tick(now: number): void {
    // Where an engine holds them too, what was taken back goes with its record.
    if (!this.directory.joined)
      for (const entry of this.removed.over(now)) this.directory.forgetOverride(entry)
    if (now < this.nextDue) return
    this.nextDue = Infinity
    for (const [entry, dueAt] of [...this.timed]) {
      const endsAt = this.endsAt(entry, dueAt)
      if (endsAt <= now) this.replace(entry, null, OVER, now)
      else this.nextDue = Math.min(this.nextDue, endsAt)
    }
  }

  private write(
    ref: ResolvedRef,
    index: number,
    signature: Signature,
    now: number,
    needsLive: boolean,
    wishes: (record: StoredRecord) => Wishes | null,
  ): OverrideOutcome {
    const entry = this.directory.entry(ref)
    const refusal = refuse(ref, entry, index, needsLive)
    if (entry === undefined || refusal !== undefined) return { ok: false, error: refusal as ErrorBody }
    const wanted = wishes(entry.record)
    if (wanted !== null || isStanding(entry.record.override)) {
      const full = this.replace(entry, wanted, signature, now)
      if (full !== undefined) return { ok: false, error: { ...full, field: `instances[${index}]` } }
    }
    const { record, state } = entry
    const { namespace, service, group, id, incarnation } = record
    return { ok: true, namespace, service, group, id, incarnation, ...(state === null ? {} : { state }) }
  }

  /** What is registered takes any override; one that holds a stray needs room for it. */
  private replace(
    entry: Entry,
    wishes: Wishes | null,
    signature: Signature,
    now: number,
  ): ErrorBody | undefined {
    const { record } = entry
    const next = { ...record, override: nextRegister(record.override, wishes, this.writer, signature) }
    const full = wishes !== null && isStray(record) ? this.directory.refusal(next, entry.payer) : undefined
    if (full === undefined) this.directory.propose(next, { kind: 'override' }, now)
    return full
  }

  private summary(entry: Entry, now: number): OverrideSummary {
    const { record, state } = entry
    const { namespace, service, group, id, incarnation, override } = record
    if (override === undefined) throw new Error('an entry without override does not stand')
    const remainingMs = this.remainingMs(entry, now)
    return {
      namespace,
      service,
      group,
      id,
      incarnation,
      ...(state === null ? {} : { state }),
      ...toldOverride(override),
      ...(remainingMs === undefined ? {} : { remainingMs }),
    }
  }
}

/** An override as it is shown: what is wanted beside its version. */
export function toldOverride({ value, ...written }: Override): Omit<Override, 'value'> & Wishes {
  return { ...value, ...written }
}

/** Names cannot contain a slash, nor can ids. */
function tokenOf({ namespace, service, group, id }: StoredRecord): string {
  return `${namespace}/${service}/${group}/${id}`
}

function isToken(text: string): boolean {
  const [namespace = '', service = '', group = '', id = '', ...rest] = text.split('/')
  return rest.length === 0 && checkKey({ namespace, service, group, id }) === undefined
}

function refuse(
  ref: ResolvedRef,
  entry: Entry | undefined,
  index: number,
  needsLive: boolean,
): ErrorBody | undefined {
  const field = `instances[${index}]`
  const bad = checkRef(ref, entry)
  if (bad !== undefined) return { ...bad, field: `${field}.${bad.field}` }
  if (entry === undefined || (needsLive && !isLive(entry.record))) {
    return errorBody(
      'unknown_instance',
      `${ref.service} has no instance ${ref.id} in group ${ref.group}`,
      field,
    )
  }
  const { incarnation } = entry.record
  if (ref.incarnation === undefined || ref.incarnation === incarnation) return undefined
  const message = `incarnation ${ref.incarnation} of ${ref.id} is not the present one, ${incarnation}`
  return errorBody('superseded', message, field, { incarnation })
}

/** What could not be registered is not unknown, it is wrong. */
function checkRef(ref: ResolvedRef, entry: Entry | undefined): ErrorBody | undefined {
  const { incarnation = 0 } = ref
  const badKey = entry === undefined ? checkKey(ref) : undefined
  return badKey ?? (incarnation < 0 ? invalid('incarnation', 'must be a non-negative integer') : undefined)
}

function checkWishes(command: OverrideCommand): ErrorBody | undefined {
  const { drain, disable, weight, durationMs } = command
  if (drain !== true && disable !== true && weight === undefined) {
    return invalid(
      'drain',
      'or disable or weight must be given: an override without a wish is taken back with DELETE',
    )
  }
  if (weight !== undefined && !isInteger(weight, 0, LIMITS.weightMax)) {
    return invalid('weight', `must be an integer from 0 to ${LIMITS.weightMax}`)
  }
  const { durationMsMin, durationMsMax } = OPERATOR_LIMITS
  if (durationMs !== undefined && !isInteger(durationMs, durationMsMin, durationMsMax)) {
    return invalid('durationMs', `must be an integer from ${durationMsMin} to ${durationMsMax}`)
  }
  return undefined
}

function isInteger(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

function invalid(field: string, message: string): ErrorBody {
  return errorBody('invalid_argument', `${field} ${message}`, field)
}
