/** Counts of picks, for tests of balancers. */
import type { Instance } from '@rollcall/wire'

/** A small generator with a seed, so that a failure can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 0x1_0000_0000
  }
}

export function counts(pick: () => Instance | undefined, times: number): Map<string, number> {
  const found = new Map<string, number>()
  for (let index = 0; index < times; index += 1) {
    const id = pick()?.id ?? 'none'
    found.set(id, (found.get(id) ?? 0) + 1)
  }
  return found
}
