/** Orders: calls inventory, then payments. */
import { connect, type Service } from '@rollcall/client'
import { REGISTRIES, serve, type Answer } from './serve.js'

// A client of its own for the calls: it has to outlive the last request, the one that registers must not.
const rollcall = await connect({ registries: REGISTRIES })
const inventory = rollcall.service('inventory')
const payments = rollcall.service('payments')

await serve('orders', async (order, body) => {
  const { item, amount } = body as { readonly item: string; readonly amount: number }
  const reserved = await put(inventory, order, { item })
  if (reserved.status !== 200) return reserved
  const paid = await put(payments, order, { amount })
  if (paid.status !== 200) return paid
  return { status: 201, body: { order, item, amount } }
})
await rollcall.close()

/** PUT may be repeated by definition: if an instance dies meanwhile, `fetch` asks the next one. */
async function put(service: Service, id: string, body: unknown): Promise<Answer> {
  const response = await service.fetch(`/${service.name}/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    timeoutMs: 3_000,
  })
  return { status: response.status, body: await response.json() }
}
