/** Ports for programs that cannot be asked which free one they took. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections and to those who ask for any: what is free there stays free, but
 * for other processes that look for ports here. Those begin elsewhere.
 */
const [FIRST, COUNT] = [20_000, 12_000]

let next = process.pid * 997

/** A port of the loopback interface on which nothing listens. Each call gives another one. */
export async function freePort(): Promise<number> {
  for (;;) {
    next += 1
    const port = FIRST + (next % COUNT)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
