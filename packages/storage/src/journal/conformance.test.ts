/** Every journal does what the port promises. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER } from '@rollcall/core'
import { FaultyDisk } from '@rollcall/testkit'
import { describeJournalPort } from './conformance.fixture.js'
import { openJournal } from './journal.js'
import { createMemoryJournal } from './memory-journal.js'

describeJournalPort('on disk', 'disk', async () => {
  const disk = new FaultyDisk()
  const open = (): ReturnType<typeof openJournal> =>
    openJournal(
      { disk, clock: new HandClock(), logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => [] },
      { directory: '/data' },
    )
  const { journal } = await open()
  return {
    journal,
    reopened: async () => {
      await journal.close()
      const { journal: next, recovered } = await open()
      await next.close()
      return [...recovered.entries]
    },
  }
})

describeJournalPort('in memory', 'memory', async () => ({
  journal: createMemoryJournal(),
  reopened: () => undefined,
}))
