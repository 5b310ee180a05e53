/** What every JournalPort promises, as tests. Run by each implementation. */
import type { JournalEntry, JournalPort } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { entryOf, registerOf } from './journal.fixture.js'

/** How the suite gets at an implementation. */
export interface JournalUnderTest {
  readonly journal: JournalPort
  /** Closes the journal and gives what a new one would start with; undefined for one that keeps nothing. */
  readonly reopened: () => Promise<readonly JournalEntry[]> | undefined
}

/** Describes the tests for one implementation, of which `open` gives a new and empty one. */
export function describeJournalPort(
  name: string,
  durability: 'memory' | 'disk',
  open: () => Promise<JournalUnderTest>,
): void {
  describe(`JournalPort: ${name}`, () => {
    it(`answers ${durability}`, async () => {
      const { journal } = await open()
      expect(await journal.append([entryOf(1, 1), entryOf(2, 1)])).toBe(durability)
      expect(await journal.append([])).toBe(durability)
      await journal.close()
    })

    it('answers in order, also many at once', async () => {
      const { journal } = await open()
      const order: number[] = []
      const appended = Array.from({ length: 50 }, async (_, index) => {
        await journal.append([entryOf(index, 1)])
        order.push(index)
      })
      await Promise.all(appended)
      expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index))
      await journal.close()
    })

    it('answers what was appended before close, refuses what comes after, and closes twice', async () => {
      const { journal } = await open()
      const before = journal.append([entryOf(1, 1)])
      const closing = journal.close()
      await expect(journal.append([entryOf(2, 1)])).rejects.toMatchObject({ kind: 'closed' })
      expect(await before).toBe(durability)
      await closing
      await journal.close()
    })

    it('gives back what it acknowledged as durable, in order and unchanged', async () => {
      const { journal, reopened } = await open()
      const entries: JournalEntry[] = [
        entryOf(1, 1),
        {
          kind: 'service',
          namespace: 'default',
          service: 'web',
          register: registerOf({ allow: ['10.0.0.0/8'], metadata: { __proto__: 'x' } }),
        },
        entryOf(2, 1),
        {
          kind: 'forget',
          key: { namespace: 'default', service: 'web', group: 'default', id: 'a' },
          incarnation: 7,
        },
        { kind: 'namespace', namespace: 'other', register: registerOf(null) },
        {
          kind: 'value',
          namespace: 'default',
          protocol: 'consul',
          key: 'a/b',
          register: registerOf('{"value":""}'),
        },
        entryOf(1, 2),
      ]
      await journal.append(entries.slice(0, 2))
      await journal.append(entries.slice(2))
      const kept = await reopened()
      if (durability === 'memory') expect(kept).toBeUndefined()
      else expect(kept).toEqual(entries)
    })
  })
}
