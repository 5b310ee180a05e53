/** The order in which a node is taken apart, so that nothing is lost. */
import type { Clock, JournalPort } from '@rollcall/core'
import type { Membership } from './cluster/membership.js'
import type { NodeDriver } from './driver/node-driver.js'
import type { Listeners } from './listener/listeners.js'
import type { Prober } from './prober/prober.js'
import type { ShutdownStep } from './shutdown.js'
import type { ProcessMetrics } from './telemetry/process-metrics.js'

/** How long clients are given to go elsewhere before their streams are ended. */
const GOAWAY_MS = 250

export interface StopSteps {
  readonly clock: Clock
  readonly driver: NodeDriver
  readonly prober: Prober
  readonly figures: ProcessMetrics
  readonly membership: Membership
  /** The adapter of clients that are told to go. */
  readonly native: {
    goaway(reason: 'stopping', withinMs: number, to: readonly string[]): void
    close(): Promise<void>
  }
  /** Adapters of other registries' protocols. */
  readonly foreign: readonly { stop?(): void; close(): void }[]
  readonly listeners: Listeners
  readonly journal: JournalPort
}

/** What an orderly stop does, one after the other. */
export function stopSteps(parts: StopSteps): ShutdownStep[] {
  const { clock, driver, prober, figures, membership, native, foreign, listeners, journal } = parts
  return [
    {
      name: 'goaway',
      run: () => {
        const own = membership.status().nodes[0]?.address
        driver.stop()
        membership.stop()
        const others = membership.offered().filter((address) => address !== own)
        native.goaway('stopping', GOAWAY_MS, others)
        return new Promise<void>((resolve) => clock.setTimer(GOAWAY_MS, resolve))
      },
    },
    {
      name: 'streams',
      run: () => {
        for (const adapter of foreign) adapter.stop?.()
        return native.close()
      },
    },
    { name: 'listeners', run: () => listeners.close() },
    { name: 'cluster', run: () => membership.close() },
    {
      name: 'judgement',
      run: () => {
        for (const adapter of foreign) adapter.close()
        driver.close()
        prober.close()
        figures.close()
      },
    },
    { name: 'journal', run: () => journal.close() },
  ]
}
