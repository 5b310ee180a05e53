/** A journal with a clock turned by hand and a memory behind it, for tests that take its files away. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER, type Logger, type Meter } from '@rollcall/core'
import { FaultyDisk } from '@rollcall/testkit'
import { entryOf, Memory, settle } from './journal.fixture.js'
import { openJournal, type Journal } from './journal.js'

export const LOG_1 = '/data/journal-1.log'

/** A journal under test. */
export interface Node {
  readonly disk: FaultyDisk
  readonly clock: HandClock
  readonly journal: Journal
  readonly memory: Memory
  /** What was logged at `warn` and `error`. */
  readonly lines: string[]
  readonly causes: string[]
  put(index: number, version: number): Promise<string>
  /** Moves on so that the journal looks once at its files. */
  look(): Promise<void>
}

/** Opens the journal of a disk. */
export async function start(disk = new FaultyDisk(), rotateBytesMin = 1e9): Promise<Node> {
  const clock = new HandClock()
  const memory = new Memory()
  const lines: string[] = []
  const causes: string[] = []
  const note = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`)
  const logger: Logger = { ...NO_LOGGER, warn: note, error: note }
  const meter: Meter = {
    ...NO_METER,
    count: (name, _by, label) => void (name === 'rollcall_journal_failures_total' && causes.push(`${label}`)),
  }
  const { journal, recovered } = await openJournal(
    { disk, clock, logger, meter, snapshotSource: () => memory.entries() },
    { directory: '/data', rotateBytesMin },
  )
  for (const entry of recovered.entries) memory.apply(entry)
  return {
    disk,
    clock,
    journal,
    memory,
    lines,
    causes,
    put(index, version) {
      memory.apply(entryOf(index, version))
      return journal.append([entryOf(index, version)])
    },
    async look() {
      clock.advance(500)
      await settle()
    },
  }
}

/** The versions that a process finds after this one was killed. */
export async function found(disk: FaultyDisk, indexes: readonly number[]): Promise<(number | undefined)[]> {
  const { memory } = await start(disk.crash(() => 0))
  return indexes.map((index) => memory.revOf(index))
}
