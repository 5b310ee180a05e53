/** The journal of a node without a disk. */
import type { JournalPort } from '@rollcall/core'
import { JournalError } from './journal-error.js'

/** A journal for nodes without a disk: keeps nothing and answers `memory` at once. */
export function createMemoryJournal(): JournalPort {
  let closed = false
  return {
    append() {
      return closed
        ? Promise.reject(new JournalError('closed', 'the journal is closed'))
        : Promise.resolve('memory')
    },
    async close() {
      closed = true
    },
  }
}
