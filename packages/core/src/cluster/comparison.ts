/** Whether memory and engine agree on what the engine holds: by key and revision, so that nothing has to be read for it. */
import type { Directory } from '../directory/directory.js'
import { declarationOfKey, engineKeyOf, instanceOfKey, recordKey } from './layout.js'
import type { Replica } from './replica.js'

/** In what they differ. */
export interface Difference {
  /** Keys that the engine holds otherwise than memory knows: to be read again. */
  readonly read: readonly string[]
  /** Keys that memory believed to be there: they are treated as if they had vanished before its eyes. */
  readonly lost: number
}

/** Keys or entries looked at in one turn of the event loop: a few milliseconds. */
const LOOKS_MAX = 5_000

/**
 * Compares the revisions of the keys that the engine held at `revision` with what memory knows, a part of it with each `next`,
 * which takes the time. Begin when everything up to that revision was received; what changed later differs for no bad reason,
 * and is left out.
 */
export function* compareWithEngine(
  keys: ReadonlyMap<string, number>,
  revision: number,
  { directory, replica }: { readonly directory: Directory; readonly replica: Replica },
  begunAt: number,
): Generator<void, Difference, number> {
  let now = begunAt
  let looks = 0
  const declared = new Map([...replica.publishedDeclarations()].map((held) => [held.name, held]))
  const read: string[] = []
  for (const [key, at] of keys) {
    if (++looks % LOOKS_MAX === 0) now = yield
    const instance = instanceOfKey(key)
    const name = declarationOfKey(key)
    if (instance === undefined && name === undefined) continue
    const known = instance === undefined ? declared.get(name ?? '') : directory.entry(instance)
    if ((known?.revision ?? 0) < at) read.push(key)
  }
  let lost = 0
  for (const entry of directory.entries()) {
    if (++looks % LOOKS_MAX === 0) now = yield
    if (entry.revision === 0 || entry.revision > revision || keys.has(recordKey(entry.record))) continue
    lost++
    replica.absent(entry, 'seen', now)
  }
  for (const held of declared.values()) {
    const { published, revision: at } = held
    if (published === undefined || at > revision || keys.has(engineKeyOf(published))) continue
    lost++
    replica.absentDeclaration(held, 'known', now)
  }
  return { read, lost }
}
