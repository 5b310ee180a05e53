/** Power failures and failing calls, at each moment of a history. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER, type JournalEntry } from '@rollcall/core'
import { FaultyDisk, type DiskCall, type DiskFault } from '@rollcall/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entryOf, keyOf, Memory, settle } from './journal.fixture.js'
import { openJournal } from './journal.js'

type Step =
  | { readonly kind: 'put'; readonly indexes: readonly number[]; readonly waits: boolean }
  | { readonly kind: 'forget'; readonly index: number }
  | { readonly kind: 'time' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      indexes: fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }),
      waits: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const) }) },
)

/** Random numbers that only depend on the seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

interface Run {
  readonly disk: FaultyDisk
  /** Per instance: the newest version that was acknowledged as durable, and the newest that was ever appended. */
  readonly acked: Map<number, number>
  readonly appended: Map<number, number>
  /** Instances with a `forget` that was appended at this version. */
  readonly forgotten: Map<number, number>
  readonly snapshots: number
}

/** Runs the steps with tiny rotation, so that every run goes through several snapshots. */
async function run(
  steps: readonly Step[],
  fault: (call: DiskCall) => DiskFault | undefined,
  disk = new FaultyDisk(),
  first = 1,
): Promise<Run> {
  const clock = new HandClock()
  const memory = new Memory()
  const [acked, appended, forgotten] = [
    new Map<number, number>(),
    new Map<number, number>(),
    new Map<number, number>(),
  ]
  let version = first
  disk.fault = fault
  const opening = openJournal(
    { disk, clock, logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => memory.entries() },
    { directory: '/data', rotateBytesMin: 900 },
  )
  // A disk that is dead never answers, so opening may never end.
  const opened = await Promise.race([opening.catch(() => undefined), settle()])
  if (opened === undefined) return { disk, acked, appended, forgotten, snapshots: 0 }
  for (const entry of opened.recovered.entries) memory.apply(entry)
  for (const each of steps) {
    version++
    if (each.kind === 'time') {
      clock.advance(40_000)
      await settle()
      continue
    }
    const indexes = each.kind === 'put' ? each.indexes : [each.index]
    const entries: JournalEntry[] =
      each.kind === 'put'
        ? indexes.map((index) => entryOf(index, version))
        : [{ kind: 'forget', key: keyOf(each.index), incarnation: 1 }]
    const target = each.kind === 'put' ? appended : forgotten
    for (const index of indexes) target.set(index, version)
    for (const entry of entries) memory.apply(entry)
    const at = version
    const { journal } = opened
    const answer = async (): Promise<void> => {
      const durability = await journal.append(entries)
      // After the power went off no answer reaches a caller: the disk never lets one through.
      if (each.kind !== 'put' || durability !== 'disk') return
      for (const index of indexes) acked.set(index, Math.max(at, acked.get(index) ?? 0))
    }
    const answered = answer()
    if (each.kind === 'put' && each.waits) await Promise.race([answered, settle()])
  }
  await settle()
  return {
    disk,
    acked,
    appended,
    forgotten,
    snapshots: disk.paths().filter((path) => path.endsWith('.snap')).length,
  }
}

async function recoverFrom(disk: FaultyDisk): Promise<Memory> {
  const { journal, recovered } = await openJournal(
    { disk, clock: new HandClock(), logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => [] },
    { directory: '/data' },
  )
  const memory = Memory.of(recovered.entries)
  await journal.close()
  return memory
}

function expectKept({ acked, appended, forgotten }: Run, memory: Memory): void {
  for (const [index, version] of acked) {
    const kept = memory.revOf(index)
    // Forgotten later than it was acknowledged: it may be gone, it may be there.
    if (kept === undefined)
      expect(forgotten.get(index) ?? 0, `instance ${index} at ${version} is lost`).toBeGreaterThan(version)
    else expect(kept, `instance ${index} went back`).toBeGreaterThanOrEqual(version)
  }
  for (let index = 0; index < 6; index++) {
    const kept = memory.revOf(index)
    if (kept !== undefined)
      expect(kept, `instance ${index} was invented`).toBeLessThanOrEqual(appended.get(index) ?? 0)
  }
}

describe('power failures', () => {
  it('whenever the power goes, what was acknowledged is there and nothing else is', async () => {
    let crashed = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.nat(120),
        fc.nat(),
        async (steps, crashAt, seed) => {
          const result = await run(steps, ({ index }) => (index === crashAt ? 'crash' : undefined))
          if (result.disk.calls > crashAt) crashed++
          expectKept(result, await recoverFrom(result.disk.crash(randomOf(seed))))
        },
      ),
      { numRuns: 150 },
    )
    expect(crashed).toBeGreaterThan(30)
  })

  it('at each single call of one history that rotates twice', async () => {
    const steps: Step[] = Array.from({ length: 10 }, (_, at) =>
      at % 4 === 3
        ? { kind: 'forget', index: at % 6 }
        : { kind: 'put', indexes: [at % 6, (at + 1) % 6, (at + 2) % 6, at % 5], waits: at % 2 === 0 },
    )
    const whole = await run(steps, () => undefined)
    expect(whole.snapshots).toBe(1)
    const calls = whole.disk.calls
    expect(calls).toBeGreaterThan(40)
    for (let crashAt = 0; crashAt < calls; crashAt++) {
      for (const seed of [1, 2, 3]) {
        const result = await run(steps, ({ index }) => (index === crashAt ? 'crash' : undefined))
        expectKept(result, await recoverFrom(result.disk.crash(randomOf(seed))))
      }
    }
  })

  it('and again while recovering from the first failure', async () => {
    expect.hasAssertions()
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.nat(60),
        fc.nat(12),
        fc.nat(),
        async (steps, crashAt, again, seed) => {
          const random = randomOf(seed)
          const first = await run(steps, ({ index }) => (index === crashAt ? 'crash' : undefined))
          const disk = first.disk.crash(random)
          const second = await run(
            [{ kind: 'put', indexes: [0], waits: true }],
            ({ index }) => (index === again ? 'crash' : undefined),
            disk,
            100,
          )
          const memory = await recoverFrom(second.disk.crash(random))
          for (const [index, version] of second.appended) first.appended.set(index, version)
          for (const [index, version] of second.acked) first.acked.set(index, version)
          expectKept(first, memory)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('failing calls', () => {
  it('whatever fails or is cut short, and wherever the power goes after, nothing acknowledged is lost', async () => {
    expect.hasAssertions()
    const fault = fc.constantFrom<DiskFault>('EIO', 'ENOSPC', { take: 1 }, { take: 40 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 14 }),
        fc.array(fc.tuple(fc.integer({ min: 6, max: 60 }), fc.integer({ min: 1, max: 4 }), fault), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 10, max: 200 }),
        fc.nat(),
        async (steps, faults, crashAt, seed) => {
          const result = await run(steps, ({ index }) => {
            if (index === crashAt) return 'crash'
            return faults.find(([from, times]) => index >= from && index < from + times)?.[2]
          })
          expectKept(result, await recoverFrom(result.disk.crash(randomOf(seed))))
        },
      ),
      { numRuns: 200 },
    )
  })
})
