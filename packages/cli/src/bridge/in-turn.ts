/** Many requests to one registry, a few at a time, until it fails or the time is over. */

/** Requests under way at once. */
const CONCURRENCY = 8

/** Runs `each` for the items in their order. Rejects with the first failure; nothing is begun after it, or once `late`. */
export async function inTurn<Item>(
  items: readonly Item[],
  late: () => boolean,
  each: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0
  let failed = false
  const work = async (): Promise<void> => {
    while (next < items.length && !failed && !late()) {
      const item = items[next++] as Item
      try {
        await each(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(CONCURRENCY, items.length) }, work))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
