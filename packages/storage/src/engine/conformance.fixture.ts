/** What every EnginePort promises, as tests: each implementation runs it. */
import { describe, expect, it } from 'vitest'
import { LINES, STORES } from './conformance/failing.fixture.js'
import { Scene, type EngineHarness, type EngineTraits } from './conformance/harness.fixture.js'
import { HOLDING } from './conformance/holding.fixture.js'
import { JOINING } from './conformance/joining.fixture.js'
import { READING, WRITING } from './conformance/storing.fixture.js'
import type { Tests } from './conformance/tests.fixture.js'
import { WATCHING } from './conformance/watching.fixture.js'

export { Follower } from './conformance/follower.fixture.js'
export {
  CHARTER,
  loadAll,
  outcomeOf,
  putRevision,
  Scene,
  type EngineHarness,
  type EngineTraits,
  type NodeUnderTest,
} from './conformance/harness.fixture.js'

/** Nodes of different tests do not see each other, so that these run at the same time. */
const CALM: Readonly<Record<string, Tests>> = {
  'its charter': JOINING,
  writes: WRITING,
  reads: READING,
  watches: WATCHING,
  'held keys': HOLDING,
  'a failing line': LINES,
}

/** Describes the tests for one implementation, of which `open` gives what nodes connect to, with nothing in it. */
export function describeEngine(name: string, traits: EngineTraits, open: () => Promise<EngineHarness>): void {
  /** What watches did in a test that no watch must do. */
  const faultsIn = async (test: Tests[string]): Promise<readonly string[]> => {
    await using scene = new Scene(await open(), traits)
    await test(scene)
    return scene.faults
  }
  describe(`EnginePort: ${name}`, () => {
    describe.concurrent('at the same time', () => {
      describe.each(Object.entries(CALM))('%s', (_topic, tests) => {
        it.each(Object.entries(tests))('%s', async (_sentence, test) => {
          expect(await faultsIn(test)).toEqual([])
        })
      })
    })
    describe('a failing store', () => {
      it.each(Object.entries(STORES))('%s', async (_sentence, test) => {
        expect(await faultsIn(test)).toEqual([])
      })
    })
  })
}
