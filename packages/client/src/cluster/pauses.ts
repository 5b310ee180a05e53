/** How long a link waits before it tries again. */
import type { MachineSettings } from '../machine/settings.js'

export class LinkPauses {
  private readonly settings: Pick<MachineSettings, 'times' | 'random'>
  /** Attempts follow each other at once: the client is about to end. */
  hurried = false

  constructor(settings: Pick<MachineSettings, 'times' | 'random'>) {
    this.settings = settings
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
