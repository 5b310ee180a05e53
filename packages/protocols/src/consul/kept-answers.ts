/**
 * Answers that were written out, for the next request that asks for the same at the same index: hundreds that wait for one
 * change get the same bytes, where it is written in one turn; of a longer one each of them writes its own. Every caller may read the same; once that differs, the caller belongs into the key.
 */

/** Longest text that is kept: a list of some thousand services, or of two hundred instances with their checks. */
const TEXT_CHARS_MAX = 262_144
/** All of them; beyond it the oldest goes first. */
const BYTES_MAX = 8 * 1_048_576
/** A text is made anew after this long, so that what no index tells, such as the address of the node, is not kept. */
const KEPT_MS = 1_000

interface Kept {
  readonly index: number
  readonly madeAt: number
  readonly bytes: Buffer
}

export class KeptAnswers {
  private readonly now: () => number
  private readonly answers = new Map<string, Kept>()
  private held = 0

  constructor(now: () => number) {
    this.now = now
  }

  /** The answer to a request at an index, if it is kept. */
  get(key: string, index: number): Buffer | undefined {
    const kept = this.answers.get(key)
    return kept?.index === index && this.now() - kept.madeAt < KEPT_MS ? kept.bytes : undefined
  }

  /** What `make` yields for a request at an index, which is kept where it is short. */
  *made(key: string, index: number, make: Iterable<string>): Generator<string> {
    this.drop(key)
    const madeAt = this.now()
    let text = ''
    for (const piece of make) {
      if (text.length <= TEXT_CHARS_MAX) text += piece
      yield piece
    }
    if (text.length <= TEXT_CHARS_MAX) this.keep(key, { index, madeAt, bytes: Buffer.from(text) })
  }

  private keep(key: string, kept: Kept): void {
    this.drop(key)
    this.answers.set(key, kept)
    this.held += key.length + kept.bytes.length
    for (const oldest of this.answers.keys()) {
      if (this.held <= BYTES_MAX) return
      this.drop(oldest)
    }
  }

  private drop(key: string): void {
    const kept = this.answers.get(key)
    if (kept === undefined) return
    this.answers.delete(key)
    this.held -= key.length + kept.bytes.length
  }
}
