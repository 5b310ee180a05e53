/** Long polls under way: bounded in number, and ended when the peer leaves or the node stops. */
import type { Budget, ChangeWait } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import type { Exchange } from './exchange.js'

/** The long polls of a node. */
export class Waits {
  private readonly open = new Set<ChangeWait>()
  private readonly budget: Budget
  private stopped = false

  constructor(budget: Budget) {
    this.budget = budget
  }

  /** Number of long polls under way. */
  get size(): number {
    return this.open.size
  }

  /**
   * Waits for a change, for the time to pass, or for the peer to leave, then runs `answer`, unless the peer has left. A
   * wait that the end of the node cut short is answered with `stopping`, because the caller should go to another one at once.
   */
  async hold(exchange: Exchange, begin: () => ChangeWait, answer: () => void | Promise<void>): Promise<void> {
    exchange.patient = true
    if (this.stopped) throw stopping()
    const { peer } = exchange.caller
    this.budget.take(peer, 1)
    try {
      const changed = await this.outcome(exchange, begin())
      if (this.stopped && !changed) throw stopping()
      if (!exchange.req.socket.destroyed) await answer()
    } finally {
      this.budget.give(peer, 1)
    }
  }

  private async outcome({ req }: Exchange, wait: ChangeWait): Promise<boolean> {
    const cancel = (): void => wait.cancel()
    // The answer itself may not have a connection yet that could close.
    req.socket.once('close', cancel)
    this.open.add(wait)
    const changed = await wait.changed
    this.open.delete(wait)
    req.socket.off('close', cancel)
    return changed
  }

  /** Ends all of them, now and from now on. */
  stop(): void {
    this.stopped = true
    for (const wait of this.open) wait.cancel()
  }
}

function stopping(): RegistryError {
  return new RegistryError('stopping', 'the node is stopping')
}
