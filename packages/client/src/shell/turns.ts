/** A few at a time: a fan-out over files that would otherwise take every descriptor and thread of the process. */

/** Carries out work, so much of it at once, in the order of asking. */
export class Turns {
  private free: number
  private readonly waiting: (() => void)[] = []

  constructor(max: number) {
    this.free = max
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1
    else await new Promise<void>((begin) => this.waiting.push(begin))
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.free += 1
      else next()
    }
  }
}
