/**
 * Why a journal cannot be opened or used. `damaged`: bytes that were once complete are not what was written.
 * `missing`: a file that the others need is not there. `unknown-version`: written by a newer Rollcall.
 * `locked`: another process uses the directory. `occupied`: something stands where a file is to be made. `io`: the
 * operating system refused. `closed`: this process closed it.
 */
export type JournalErrorKind =
  | 'damaged'
  | 'missing'
  | 'unknown-version'
  | 'locked'
  | 'occupied'
  | 'io'
  | 'closed'

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

/**
 * Why the disk counts as failing although no system call failed. `files`: the journal's files are not what it left
 * there. `lock`: the directory is not this process's any more. `slow`: a call took too long. `queue`: too many entries
 * wait. A system call that failed is `call`.
 */
export type FaultCause = 'files' | 'lock' | 'slow' | 'queue' | 'call'

/** A failure that the journal itself noticed. */
export class JournalFault extends Error {
  override readonly name = 'JournalFault'
  readonly fault: Exclude<FaultCause, 'call'>

  constructor(fault: Exclude<FaultCause, 'call'>, message: string) {
    super(message)
    this.fault = fault
  }
}

/** The code of a failed system call (`ENOSPC`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** A code where the system gave one: short, and the same each time. */
export function wordsOf(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error))
}
