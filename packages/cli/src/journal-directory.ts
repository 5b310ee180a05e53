/** The error of a directory that holds no journal. */
import { JournalError } from '@rollcall/storage'

/** A mistyped directory must not look like a sound journal without entries. */
export function journalError(directory: string): JournalError {
  return new JournalError('missing', `${directory} holds no journal`, { file: directory })
}
