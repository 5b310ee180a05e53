// A node on its own: `registry-child.mjs HOST:PORT [DATA]`; without DATA it keeps everything in memory.
import { startServer } from '@rollcall/server'

const [listen, data] = process.argv.slice(2)
const server = await startServer({
  flags: data === undefined ? { listen, memory: true } : { listen, data },
  env: {},
})
process.send?.({ ready: server.url })
