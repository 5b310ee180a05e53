import { JournalError } from '@rollcall/storage'

/** Says that a directory is not what was meant: a mistyped one must not look like a sound journal. */
export function journalError(directory: string): JournalError {
  return new JournalError('missing', `${directory} holds no journal`, { file: directory })
}
