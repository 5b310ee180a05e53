/** The bounds and windows of publishing. */

export interface PublisherOptions {
  /** Watches of one subscriber. */
  readonly watchesPerSubscriberMax: number
  /** Long polls of all pollers together. */
  readonly waitersMax: number
  /** Longest time that changes may be collected. */
  readonly windowMsMax: number
  /** The same for a batch that holds a removal or a death. */
  readonly urgentWindowMsMax: number
  /** Instances of publications that are put together in one turn of the event loop, some milliseconds; a delivery counts for ten. */
  readonly workPerTurn: number
}

export const PUBLISHER_DEFAULTS: PublisherOptions = {
  watchesPerSubscriberMax: 10_000,
  waitersMax: 10_000,
  windowMsMax: 250,
  urgentWindowMsMax: 100,
  workPerTurn: 20_000,
}

/**
 * The window grows by this much per subscriber of the view: about four times what writing to one subscriber
 * costs, so that publishing one view takes no more than a quarter of a core.
 */
export const WINDOW_MS_PER_SUBSCRIBER = 0.04
