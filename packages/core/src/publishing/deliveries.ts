/** Hands publications over, and knows at which sign each subscriber of a view stands. */
import type { Consumer, SubscribedView } from './audience.js'
import type { Update } from './subscription.js'
import type { Meter } from '../metrics.js'

export class Deliveries {
  /** Deliveries that were made. */
  count = 0
  private readonly meter: Meter

  constructor(meter: Meter) {
    this.meter = meter
  }

  /** Who stalled is noted to have missed it, and where that left it. */
  deliver(consumer: Consumer, watched: SubscribedView, update: Update): void {
    this.count++
    if (consumer.closed) return
    if (consumer.stalled) {
      const { missed } = consumer
      const from = startOf(update)
      if (from === undefined || !missed.has(watched)) missed.set(watched, from)
      return
    }
    consumer.delivered = Math.max(consumer.delivered, update.seq)
    watched.seq = Math.max(watched.seq, update.seq)
    consumer.subscriber.deliver(update)
    this.meter.count('rollcall_deliveries_total')
  }

  /** Remembers who does not stand where all who keep up were told to be: what leads from there does not fit them. */
  noteSign(consumer: Consumer, watched: SubscribedView, sign: string): void {
    if (sign === watched.told) watched.apart?.delete(consumer)
    else (watched.apart ??= new Map()).set(consumer, sign)
  }
}

/** The sign from which an update leads on; undefined where it leads from none, as removes that change no list do. */
function startOf(update: Update): string | undefined {
  if (update.kind === 'view') return undefined
  const { from, to } = update.delta
  return from === to ? undefined : from
}
