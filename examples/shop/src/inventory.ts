/** Inventory: sets goods aside for an order. */
import { serve } from './serve.js'

/** Stands in for the database that all inventory processes share. */
const reservations = new Map<string, string>()

// A repeated PUT finds what the first one did: so callers may try another instance without fear.
await serve('inventory', async (order, body) => {
  const { item } = body as { readonly item: string }
  if (item === 'unicorn') return { status: 409, body: { error: 'sold out' } }
  reservations.set(order, item)
  return { status: 200, body: { order, item } }
})
