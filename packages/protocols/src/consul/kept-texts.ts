/**
 * Answers that were written out, for the next request that asks for the same at the same index: hundreds that wait for one
 * change get one text. Every caller may read the same; once that differs, the caller belongs into the key.
 */

/** Longest text that is kept: it is sent in one turn. */
const TEXT_CHARS_MAX = 65_536
/** All of them; beyond it the oldest goes first. */
const CHARS_MAX = 4 * 1_048_576
/** A text is made anew after this long, so that what no index tells, such as the address of the node, is not kept. */
const KEPT_MS = 1_000

interface Kept {
  readonly index: number
  readonly madeAt: number
  readonly text: string
}

export class KeptTexts {
  private readonly now: () => number
  private readonly texts = new Map<string, Kept>()
  private chars = 0

  constructor(now: () => number) {
    this.now = now
  }

  /** The text for a request at an index, or what `make` yields, which is kept where it is short. */
  *of(key: string, index: number, make: () => Iterable<string>): Generator<string> {
    const kept = this.texts.get(key)
    if (kept?.index === index && this.now() - kept.madeAt < KEPT_MS) {
      yield kept.text
      return
    }
    this.drop(key)
    const madeAt = this.now()
    let text = ''
    for (const piece of make()) {
      if (text.length <= TEXT_CHARS_MAX) text += piece
      yield piece
    }
    if (text.length <= TEXT_CHARS_MAX) this.keep(key, { index, madeAt, text })
  }

  private keep(key: string, kept: Kept): void {
    this.drop(key)
    this.texts.set(key, kept)
    this.chars += key.length + kept.text.length
    for (const oldest of this.texts.keys()) {
      if (this.chars <= CHARS_MAX) return
      this.drop(oldest)
    }
  }

  private drop(key: string): void {
    const kept = this.texts.get(key)
    if (kept === undefined) return
    this.texts.delete(key)
    this.chars -= key.length + kept.text.length
  }
}
