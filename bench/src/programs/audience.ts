/** Many subscribers of the same thing in one process, each no more than a socket and a count of frames. */
import { FrameScanner } from '../frames.js'
import type { RawSocket } from './raw-stream.js'

/** How long all subscribers may take to receive what was sent. Past it the measurement is void. */
const DELIVERY_MS_MAX = 30_000

interface Member {
  readonly raw: RawSocket
  readonly scanner: FrameScanner
  /** When its last frame was complete. */
  at: number
}

/** Subscribers that all receive the same number of frames. */
export class Audience {
  private readonly members: Member[] = []
  private target = 0
  private behind = 0
  private done: () => void = () => {}

  get size(): number {
    return this.members.length
  }

  /** Adds a subscriber; its frames count from now on. */
  add(raw: RawSocket): void {
    const member: Member = { raw, scanner: new FrameScanner(), at: 0 }
    this.members.push(member)
    raw.receive = (chunk) => {
      const before = member.scanner.frames
      if (member.scanner.scan(chunk) === 0) return
      member.at = performance.now()
      if (before < this.target && member.scanner.frames >= this.target && --this.behind === 0) this.done()
    }
  }

  /** Writes the same bytes to all. */
  write(bytes: Buffer): void {
    for (const { raw } of this.members) raw.socket.write(bytes)
  }

  /** Resolves when all have received so many frames in all. */
  async reached(frames: number): Promise<void> {
    this.target = frames
    this.behind = this.members.filter(({ scanner }) => scanner.frames < frames).length
    if (this.behind === 0) return
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.done = resolve
        timer = setTimeout(
          () => reject(new Error(`${this.behind} of ${this.size} have not received frame ${frames}`)),
          DELIVERY_MS_MAX,
        )
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** For each member, how long after `since` its last frame was complete. */
  delays(since: number): number[] {
    return this.members.map(({ at }) => at - since)
  }
}
