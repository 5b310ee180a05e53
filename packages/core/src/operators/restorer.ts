/**
 * Undoes mistaken removals while they are remembered. What was deregistered stays final: it comes back as a new
 * incarnation with what the old one offered last. What expired gets its verdict reversed. Both are then watched like
 * something this node never heard. ADR 0006 has the reasons.
 */
import {
  type ErrorBody,
  errorBody,
  ID_PATTERN,
  ID_WORDS,
  NAME_PATTERN,
  NAME_WORDS,
  type RestoreReason,
} from '@rollcall/wire'
import { contentDigest } from '../records/digest.js'
import type { Cause } from '../directory/change.js'
import type { Directory, Entry, ServiceNode } from '../directory/directory.js'
import type { RestoreCommand, RestoreOutcome } from '../commands.js'
import { hiddenReason, isStray } from '../records/state.js'
import type { LiveContent, StoredRecord, Verdict } from '../records/record.js'
import { RESTORED } from '../liveness/transitions.js'
import type { Verdicts } from '../liveness/verdicts.js'
import { above, unexceedable } from '../admission/incarnation-bound.js'
import type { Registrar } from '../admission/registrar.js'

export interface RestorerDeps {
  readonly directory: Directory
  readonly verdicts: Verdicts
  readonly registrar: Registrar
}

export interface RestorerOptions {
  readonly nodeId: string
  /** Most instances that one command brings back. */
  readonly batchItemsMax: number
}

export class Restorer {
  private readonly deps: RestorerDeps
  private readonly batchItemsMax: number
  private readonly verdict: Verdict

  constructor(deps: RestorerDeps, { nodeId, batchItemsMax }: RestorerOptions) {
    this.deps = deps
    this.batchItemsMax = batchItemsMax
    const { value, reason } = RESTORED
    this.verdict = { value, claim: 1, node: nodeId, seq: 0, reason }
  }

  /** Brings back what the command names, or says what it would. */
  restore(command: RestoreCommand, now: number): RestoreOutcome | ErrorBody {
    const { namespace, service, ids, sinceMs, dryRun = false } = command
    if (sinceMs !== undefined && !(Number.isInteger(sinceMs) && sinceMs >= 0)) {
      return errorBody('invalid_argument', 'sinceMs must be a non-negative integer', 'sinceMs')
    }
    const bad = checkNames(command)
    if (bad !== undefined) return bad
    const node = this.deps.directory.find(namespace, service)
    if (node === undefined) {
      return errorBody('unknown_service', `nothing is known of ${service} in namespace ${namespace}`)
    }
    const named = ids === undefined ? undefined : new Set(ids)
    const max = this.batchItemsMax - (named?.size ?? 0)
    const chosen: Entry[] = []
    for (const entry of candidates(node, named, command, now)) {
      if (chosen.length > max) break
      if (isChosen(entry, named, command, now)) chosen.push(entry)
    }
    if (chosen.length > max) {
      const message = `this would bring back more than ${Math.max(0, max)} instances; narrow it by sinceMs, group or ids`
      return errorBody('batch_too_large', message, undefined, { itemsMax: this.batchItemsMax })
    }
    chosen.reverse().sort((one, other) => one.since - other.since)
    const results = chosen.map((entry) => this.one(entry, dryRun, now))
    return { dryRun, results: [...results, ...missing(command, chosen)] }
  }

  private one(entry: Entry, dryRun: boolean, now: number): RestoreOutcome['results'][number] {
    const { record } = entry
    const { namespace, service, group, id } = record
    const was = hiddenReason(record)
    const content = remembered(record)
    const refusal = content === undefined ? forgotten(record) : this.refusal(record, content)
    if (content === undefined || refusal !== undefined) {
      return { ok: false, group, id, error: refusal as ErrorBody }
    }
    const incarnation = was === 'expired' ? record.incarnation : above(record.incarnation)
    if (incarnation === undefined)
      return { ok: false, group, id, error: unexceedable(id, record.incarnation) }
    const goneMs = Math.max(0, Math.round(now - entry.since))
    const full = this.bringBack(entry, content, incarnation, dryRun, now)
    if (full !== undefined) return { ok: false, group, id, error: full }
    const { host, port } = content
    return { ok: true, namespace, service, group, id, incarnation, host, port, was, goneMs }
  }

  /** Brings it back, unless it is only asked about, or says why there is no room for it. */
  private bringBack(
    entry: Entry,
    content: LiveContent,
    incarnation: number,
    dryRun: boolean,
    now: number,
  ): ErrorBody | undefined {
    const { directory, verdicts, registrar } = this.deps
    const { record } = entry
    const cause: Cause = { kind: 'restoration' }
    if (incarnation === record.incarnation) {
      if (!dryRun) verdicts.write(entry, RESTORED.value, RESTORED.reason, cause, now)
      return undefined
    }
    // Rev 0: whatever the provider itself says under this number is newer.
    const digest = contentDigest(record, incarnation, content)
    const offered: LiveContent = { ...content, rev: 0, restored: true, digest }
    const restored = { ...record, incarnation, content: offered, verdict: this.verdict }
    const full = registrar.full(restored)
    if (full === undefined && !dryRun) directory.propose(restored, cause, now)
    return full
  }

  /** What could not register is not brought back. */
  private refusal(
    { namespace, service, group, id }: StoredRecord,
    content: LiveContent,
  ): ErrorBody | undefined {
    const { intent, ...offered } = content
    return this.deps.registrar.refusal({ namespace, service, group, id, intent, ...offered })
  }
}

/** What could not be registered is not missing, it is wrong. */
function checkNames({ group, ids = [] }: RestoreCommand): ErrorBody | undefined {
  if (group !== undefined && !NAME_PATTERN.test(group))
    return errorBody('invalid_argument', `group must be ${NAME_WORDS}`, 'group')
  const at = ids.findIndex((id) => !ID_PATTERN.test(id))
  return at < 0 ? undefined : errorBody('invalid_argument', `ids[${at}] must be ${ID_WORDS}`, `ids[${at}]`)
}

function isChosen(
  { record, state, since }: Entry,
  named: ReadonlySet<string> | undefined,
  { group, sinceMs = Infinity, reasons }: RestoreCommand,
  now: number,
): boolean {
  if (state !== null || isStray(record)) return false
  if (group !== undefined && record.group !== group) return false
  if (now - since > sinceMs) return false
  const was: RestoreReason = hiddenReason(record)
  if (reasons !== undefined && !reasons.includes(was)) return false
  // What left by its own doing is no mistake, unless it is named.
  return named === undefined ? remembered(record) !== undefined : named.has(record.id)
}

/** Where to look: at those that are named, or at those who left last, as far back as is asked for. */
function* candidates(
  { groups, departed }: ServiceNode,
  named: ReadonlySet<string> | undefined,
  { group, sinceMs = Infinity }: RestoreCommand,
  now: number,
): IterableIterator<Entry> {
  const asked = [...groups.values()].filter((node) => group === undefined || node.group === group)
  if (named !== undefined && named.size * asked.length <= departed.size) {
    for (const id of named) {
      for (const { entries } of asked) {
        const entry = entries.get(id)
        if (entry !== undefined) yield entry
      }
    }
    return
  }
  for (const entry of departed.latest()) {
    if (now - entry.since > sinceMs) return
    yield entry
  }
}

function remembered({ content }: StoredRecord): LiveContent | undefined {
  return content.intent === 'gone' ? content.last : content
}

function forgotten({ id }: StoredRecord): ErrorBody {
  return errorBody('deregistered', `${id} left by its own doing: what it offered is not remembered`)
}

/** Ids that were named and are not among those who left. */
function missing(
  { ids = [], group = '' }: RestoreCommand,
  chosen: readonly Entry[],
): RestoreOutcome['results'] {
  const found = new Set(chosen.map(({ record }) => record.id))
  return ids
    .filter((id) => !found.has(id))
    .map((id) => {
      const message = `${id} is not among those who left`
      return { ok: false as const, group, id, error: errorBody('unknown_instance', message, 'ids') }
    })
}
