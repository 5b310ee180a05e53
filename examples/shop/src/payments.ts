/** Payments: takes money for an order, once. */
import { serve } from './serve.js'

/** Stands in for the database that all payments processes share. */
const payments = new Map<string, number>()

await serve('payments', async (order, body) => {
  const { amount } = body as { readonly amount: number }
  const paid = payments.get(order) ?? amount
  payments.set(order, paid)
  return { status: 200, body: { order, paid } }
})
