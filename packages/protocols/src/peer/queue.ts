/**
 * What waits to be sent to one peer: jobs that make their frames when there is room for them, so that a slow peer holds
 * references and not texts. Bounded by what the jobs weigh.
 */

/** Something to be sent, in one or several frames. */
export interface Job {
  /** About what it holds until it is sent. */
  readonly bytes: number
  /** Makes the next frame; undefined where nothing is left of it. */
  next(): string | undefined
}

export interface QueueOptions {
  readonly queueBytesMax: number
  readonly bufferBytesMax: number
  readonly turnBytes: number
}

export interface QueuePorts {
  readonly unsentBytes: number
  send(text: string): void
  /** Calls `pump` again, in another turn. */
  later(): void
}

/** The queue of one link. */
export class PeerQueue {
  private readonly jobs: Job[] = []
  private readonly ports: QueuePorts
  private readonly options: QueueOptions
  private bytes = 0
  private waiting = false

  constructor(ports: QueuePorts, options: QueueOptions) {
    this.ports = ports
    this.options = options
  }

  /** Takes it, or not: what is larger than the queue itself is taken when nothing waits. */
  push(job: Job): boolean {
    if (this.bytes > 0 && this.bytes + job.bytes > this.options.queueBytesMax) return false
    this.jobs.push(job)
    this.bytes += job.bytes
    if (!this.waiting) this.pump()
    return true
  }

  /** Sends what there is room for; a turn of the event loop makes a bounded part of it. */
  pump(): void {
    this.waiting = false
    let made = 0
    for (;;) {
      const job = this.jobs[0]
      if (job === undefined || this.ports.unsentBytes > this.options.bufferBytesMax) return
      if (made > this.options.turnBytes) {
        this.waiting = true
        this.ports.later()
        return
      }
      const text = job.next()
      if (text === undefined) {
        this.jobs.shift()
        this.bytes -= job.bytes
      } else {
        made += text.length
        this.ports.send(text)
      }
    }
  }

  clear(): void {
    this.jobs.length = 0
    this.bytes = 0
  }
}
