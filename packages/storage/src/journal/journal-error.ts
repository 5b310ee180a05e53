/**
 * Why a journal cannot be opened or used. `damaged`: bytes that were once complete are not what was written.
 * `missing`: a file that the others need is not there. `unknown-version`: written by a newer Rollcall.
 * `locked`: another process uses the directory. `io`: the operating system refused. `closed`: this process closed it.
 */
export type JournalErrorKind = 'damaged' | 'missing' | 'unknown-version' | 'locked' | 'io' | 'closed'

/** Where and why; members are absent where they mean nothing. */
export interface JournalErrorPlace {
  /** Name of the file inside the journal's directory, or the directory itself. */
  readonly file?: string
  /** Byte offset of the first frame that cannot be trusted. */
  readonly offset?: number
  /** Process that holds the directory, for `locked`. */
  readonly pid?: number
  readonly cause?: unknown
}

/** The error of the journal. Recognise it by `kind`; the message is for the operator and says what to do. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly kind: JournalErrorKind
  readonly file: string | undefined
  readonly offset: number | undefined
  readonly pid: number | undefined

  constructor(kind: JournalErrorKind, message: string, place: JournalErrorPlace = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause })
    this.kind = kind
    this.file = place.file
    this.offset = place.offset
    this.pid = place.pid
  }
}

/** The code of a failed system call (`ENOSPC`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
