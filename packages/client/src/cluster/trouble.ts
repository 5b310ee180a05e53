/** What went wrong with the connections to a cluster, as far as it still matters: why, when, and whether it was told. */
import { CLOSE_CODES, type ErrorBody, type ErrorCode, RegistryError } from '@rollcall/wire'

/** How a connection ended. */
export interface ConnectionEnd {
  readonly code?: number | undefined
  readonly reason: string
  /** The node's answer where it refused the connection. */
  readonly refusal?: ErrorBody | undefined
}

/** The last failure of a connection; `at` on the clock of the machine. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly url: string
  readonly at: number
}

export class Trouble {
  /** The last failure, also when it is over. */
  last: Failure | undefined
  /** The last refusal of the connection since one was taken. */
  refused: RegistryError | undefined
  /** How many refusals came in a row. */
  refusals = 0
  private warned = false
  private stranger = ''

  /** A connection ended. */
  ended(url: string, { code, reason, refusal }: ConnectionEnd, at: number): void {
    const message = reason === '' ? 'the connection ended' : reason
    this.last = { code: refusal?.code ?? codeOf(code), message, url, at }
    this.refusals = refusal === undefined ? 0 : this.refusals + 1
    if (refusal !== undefined) this.refused = new RegistryError(refusal.code, refusal.message, refusal)
  }

  /** Whether a refusal is another one than the last, or the first since a connection was taken. */
  isNew(refusal: ErrorBody | undefined): boolean {
    return refusal !== undefined && refusal.code !== this.refused?.code
  }

  /** Whether a node turns out to be of another cluster that was not told to be one just before. */
  isStranger(url: string, cluster: string): boolean {
    const before = this.stranger
    this.stranger = `${url} ${cluster}`
    return before !== this.stranger
  }

  /** A person was warned of it. */
  warn(): void {
    this.warned = true
  }

  /** A node took a connection. Returns whether a person was warned before: then the end of it is told as loudly. */
  over(): boolean {
    const { warned } = this
    this.warned = false
    this.refusals = 0
    this.refused = undefined
    return warned
  }
}

/** What a stream was closed with, as an error. */
function codeOf(closeCode: number | undefined): ErrorCode {
  if (closeCode === CLOSE_CODES.limit) return 'limit_exceeded'
  if (closeCode === CLOSE_CODES.protocol) return 'protocol'
  return 'unreachable'
}
