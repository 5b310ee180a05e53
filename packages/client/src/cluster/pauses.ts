/** How long a link waits: for a node to answer, and before it tries again. */
import type { MachineSettings } from '../machine/settings.js'

/** Most times that the wait for an answer doubles. */
const PATIENCE_MAX = 2

export class LinkPauses {
  private readonly settings: Pick<MachineSettings, 'times' | 'random'>
  /** Attempts follow each other at once: the client is about to end. */
  hurried = false
  /** Attempts without an answer since the last welcome. */
  unanswered = 0

  constructor(settings: Pick<MachineSettings, 'times' | 'random'>) {
    this.settings = settings
  }

  /**
   * How long a node has to welcome this client. When none of a whole round did, all of them may be slow, as after a restart under
   * many clients: who gives up then has to be served from the beginning, and is slower still. So the next round has twice as long.
   */
  dialTimeoutMs(round: number): number {
    const { dialTimeoutMs } = this.settings.times
    return dialTimeoutMs * 2 ** Math.min(PATIENCE_MAX, Math.floor(this.unanswered / Math.max(1, round)))
  }

  /** Wait before the attempt after `failures` of them; nothing up to 0, then full jitter under a doubling ceiling. */
  backoff(failures: number): number {
    if (failures <= 0 || this.hurried) return 0
    const { retryMsMin, retryMsMax } = this.settings.times
    const ceiling = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 30))
    return retryMsMin + this.settings.random() * Math.max(0, ceiling - retryMsMin)
  }

  /** Between two looks for a better node. */
  look(): number {
    return this.settings.times.islandRetryMs * (0.8 + 0.4 * this.settings.random())
  }

  /** Some moment of a span of time. */
  within(ms: number): number {
    return this.settings.random() * Math.max(0, ms)
  }
}
