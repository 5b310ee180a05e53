/** A customer: `node load.js [orders]` places them, eight at a time; without a number until Ctrl-C. */
import { randomUUID } from 'node:crypto'
import { connect } from '@rollcall/client'
import { REGISTRIES } from './serve.js'

const wanted = Number(process.argv[2] ?? Infinity)
const stopped = new AbortController()
process.once('SIGINT', () => stopped.abort())

const rollcall = await connect({ registries: REGISTRIES })
const orders = rollcall.service('orders')

let [begun, placed, failed] = [0, 0, 0]
const tell = (): void => console.log(`${placed} orders placed, ${failed} failed`)
const telling = setInterval(tell, 1_000)

async function placeOrders(): Promise<void> {
  while (begun < wanted && !stopped.signal.aborted) {
    begun += 1
    try {
      await placeOrder(randomUUID())
      placed += 1
    } catch (error) {
      failed += 1
      console.error(String(error))
    }
  }
}

/** The customer names the order: asking twice for the same one is harmless. */
async function placeOrder(id: string): Promise<void> {
  const response = await orders.fetch(`/orders/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ item: 'teapot', amount: 12 }),
    timeoutMs: 10_000,
  })
  const answer = await response.text()
  if (response.status !== 201) throw new Error(`${response.status} ${answer}`)
}

await Promise.all(Array.from({ length: 8 }, placeOrders))
clearInterval(telling)
await rollcall.close()
tell()
process.exitCode = failed === 0 ? 0 : 1
