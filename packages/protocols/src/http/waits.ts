/** Long polls under way: bounded in number, and ended when the peer leaves or the node stops. */
import type { ChangeWait } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import type { Exchange } from './exchange.js'

/** The long polls of a node. */
export class Waits {
  private readonly open = new Set<ChangeWait>()
  private readonly longPollsMax: number
  private stopped = false

  constructor(longPollsMax: number) {
    this.longPollsMax = longPollsMax
  }

  /** Number of long polls under way. */
  get size(): number {
    return this.open.size
  }

  /**
   * Waits for a change, for the time to pass, or for the peer to leave, then runs `answer`. A wait that the end
   * of the node cut short is answered with `stopping`, because the caller should go to another one at once.
   */
  async hold(exchange: Exchange, begin: () => ChangeWait, answer: () => void | Promise<void>): Promise<void> {
    exchange.patient = true
    if (this.stopped) throw stopping()
    const { longPollsMax } = this
    if (this.open.size >= longPollsMax) {
      throw new RegistryError('limit_exceeded', 'the node holds as many waiting requests as it may', {
        details: { longPollsMax },
      })
    }
    const wait = begin()
    this.open.add(wait)
    const cancel = (): void => wait.cancel()
    exchange.res.once('close', cancel)
    const changed = await wait.changed
    this.open.delete(wait)
    exchange.res.off('close', cancel)
    if (this.stopped && !changed) throw stopping()
    return answer()
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
