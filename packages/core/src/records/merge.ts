/**
 * The one merge by which every replica (memory, journal, engine) joins two values of a record, the operator's register
 * in it by the merge of all registers (`register.ts`). It is
 * commutative, associative and idempotent, so order and repetition of deliveries cannot matter.
 */
import { isSame, larger } from './encoding.js'
import type { Content, Override, StoredRecord, Verdict } from './record.js'
import { joinRegisters } from './register.js'

/**
 * Joins two records of one key. The higher incarnation takes content and verdict; within an incarnation
 * each register merges by its own version; the override merges by its own version across incarnations. Members that
 * a later release has beside the registers are kept, each with its larger value: two releases would otherwise
 * overwrite each other for ever. Returns `a` itself when `b` adds nothing.
 */
export function merge(a: StoredRecord, b: StoredRecord): StoredRecord {
  if (a === b) return a
  const override = mergeOverride(a.override, b.override)
  let content: Content
  let verdict: Verdict
  let incarnation: number
  if (a.incarnation === b.incarnation) {
    incarnation = a.incarnation
    content = mergeContent(a.content, b.content)
    verdict = mergeVerdict(a.verdict, b.verdict)
  } else {
    const newer = a.incarnation > b.incarnation ? a : b
    incarnation = newer.incarnation
    content = newer.content
    verdict = newer.verdict
  }
  const later = isOfThisRelease(a) && isOfThisRelease(b) ? NONE : laterMembers(a, b)
  if (is(a, incarnation, content, verdict, override) && has(a, later)) return a
  if (is(b, incarnation, content, verdict, override) && has(b, later)) return b
  const { namespace, service, group, id } = a
  return {
    namespace,
    service,
    group,
    id,
    incarnation,
    content,
    verdict,
    ...(override === undefined ? {} : { override }),
    ...later,
  }
}

type Members = Readonly<Record<string, unknown>>

const NONE: Members = {}

const MEMBERS: Readonly<Record<keyof StoredRecord, true>> = {
  namespace: true,
  service: true,
  group: true,
  id: true,
  incarnation: true,
  content: true,
  verdict: true,
  override: true,
}

/** Whether it has no members but those that this release knows, as nearly all have. */
function isOfThisRelease(record: StoredRecord): boolean {
  for (const name in record) if (!Object.hasOwn(MEMBERS, name)) return false
  return true
}

/** What either has beside the members that this release knows. A name that is none of an ordinary member is garbage. */
function laterMembers(a: StoredRecord, b: StoredRecord): Members {
  const all: Record<string, unknown> = {}
  for (const [name, value] of [...Object.entries(a), ...Object.entries(b)])
    if (!Object.hasOwn(MEMBERS, name) && name !== '__proto__' && value !== undefined)
      all[name] = Object.hasOwn(all, name) ? larger(all[name], value) : (value as unknown)
  return all
}

function has(record: StoredRecord, later: Members): boolean {
  for (const name in later) if (!isSame((record as unknown as Members)[name], later[name])) return false
  return true
}

function is(
  record: StoredRecord,
  incarnation: number,
  content: Content,
  verdict: Verdict,
  override: Override | undefined,
): boolean {
  return (
    record.incarnation === incarnation &&
    record.content === content &&
    record.verdict === verdict &&
    record.override === override
  )
}

/** `gone` beats every rev of its incarnation; then the higher rev; then the larger bytes. */
function mergeContent(a: Content, b: Content): Content {
  if (a === b) return a
  if ((a.intent === 'gone') !== (b.intent === 'gone')) return a.intent === 'gone' ? a : b
  if (a.rev !== b.rev) return a.rev > b.rev ? a : b
  return larger(a, b)
}

/** Versions are (claim, node, seq), compared in this order. */
function mergeVerdict(a: Verdict, b: Verdict): Verdict {
  if (a === b) return a
  if (a.claim !== b.claim) return a.claim > b.claim ? a : b
  if (a.node !== b.node) return a.node > b.node ? a : b
  if (a.seq !== b.seq) return a.seq > b.seq ? a : b
  return larger(a, b)
}

function mergeOverride(a: Override | undefined, b: Override | undefined): Override | undefined {
  return a === undefined || b === undefined ? (a ?? b) : joinRegisters(a, b)
}
