/**
 * The one merge by which every replica (memory, journal, engine) joins two values of a record, the operator's register
 * in it by the merge of all registers (`register.ts`). It is
 * commutative, associative and idempotent, so order and repetition of deliveries cannot matter.
 */
import { larger } from './encoding.js'
import type { Content, Override, StoredRecord, Verdict } from './record.js'
import { joinRegisters } from './register.js'

/**
 * Joins two records of one key. The higher incarnation takes content and verdict; within an incarnation
 * each register merges by its own version; the override merges by its own version across incarnations.
 * Returns `a` itself when `b` adds nothing.
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
  if (is(a, incarnation, content, verdict, override)) return a
  if (is(b, incarnation, content, verdict, override)) return b
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
  }
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
