/** Looks at the port of a registered program, for as long as it runs. */
import { sleep, type Clock } from './clock.js'

/** What one look at a port says. `unknown`: no connection, and no refusal either, as under load. */
export type PortLook = 'open' | 'refused' | 'unknown'

export interface PortWatchDeps {
  readonly clock: Clock
  look(): Promise<PortLook>
}

/** Between two looks: each is a connection that says nothing, which some programs log. */
const WATCH_MS = 2_000
/** After a refusal it is looked again soon. */
const AGAIN_MS = 100
/** Refusals in a row, as a program that is restarted in place makes some. */
const REFUSALS = 3

/**
 * Calls `changed` with false when a port that was open refuses, and with true when it accepts again; a port that was
 * never open is nothing to judge by. Never rejects; resolves when the signal is aborted.
 */
export async function watchPort(
  deps: PortWatchDeps,
  wasOpen: boolean,
  signal: AbortSignal,
  changed: (isOpen: boolean) => void,
): Promise<void> {
  const { clock } = deps
  let isOpen = wasOpen ? true : undefined
  let refusals = 0
  while (!signal.aborted) {
    const found = await deps.look()
    if (signal.aborted) return
    refusals = found === 'refused' ? refusals + 1 : 0
    if (found === 'open') {
      if (isOpen === false) changed(true)
      isOpen = true
    } else if (isOpen === true && refusals === REFUSALS) {
      isOpen = false
      changed(false)
    }
    await sleep(clock, isOpen === true && refusals > 0 ? AGAIN_MS : WATCH_MS, signal)
  }
}
