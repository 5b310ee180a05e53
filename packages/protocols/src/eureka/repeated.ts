/** What was made of texts that are the same with nearly every request. */

/** Clients of one node send a handful of different ones; a longer one is read each time. */
const REMEMBERED_MAX = 64
const CHARS_MAX = 256

export class Repeated<T> {
  private readonly read: (text: string) => T
  private readonly known = new Map<string, T>()

  constructor(read: (text: string) => T) {
    this.read = read
  }

  of(text: string): T {
    const { known } = this
    const before = known.get(text)
    if (before !== undefined || known.has(text)) return before as T
    const made = this.read(text)
    if (text.length > CHARS_MAX) return made
    if (known.size >= REMEMBERED_MAX) known.clear()
    known.set(text, made)
    return made
  }
}
