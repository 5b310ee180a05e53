/** The heap of a running node after a collection, asked through Node's own inspector. */
import type { ServerProcess } from '@rollcall/testkit'
import { WebSocket } from 'ws'

/** For the environment of a node whose heap is asked for. */
export const INSPECTABLE: Readonly<Record<string, string>> = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/** Bytes in use after two collections: the second one takes what finalizers of the first let go. */
export async function heapAfterCollection(server: ServerProcess): Promise<number> {
  const url = /Debugger listening on (ws:\S+)/.exec(server.stderr())?.[1]
  if (url === undefined) throw new Error(`no inspector: ${server.stderr()}`)
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 26 })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let ids = 0
  const call = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++ids
      const take = (data: Buffer): void => {
        const answer = JSON.parse(data.toString()) as { id?: number; result?: unknown }
        if (answer.id !== id) return
        socket.off('message', take)
        resolve(answer.result)
      }
      socket.on('message', take)
      socket.send(JSON.stringify({ id, method, params }))
    })
  for (let turn = 0; turn < 2; turn++) await call('HeapProfiler.collectGarbage')
  const expression = 'process.memoryUsage().heapUsed'
  const { result } = (await call('Runtime.evaluate', { expression, returnByValue: true })) as {
    result: { value: number }
  }
  socket.close()
  return result.value
}
