// Ports that hang in connect, as a host does that drops packets: the backlog is full and never read.
// `hanging-child.mjs` is ready with the port, and stands still from then on, SIGKILL excepted.
import { connect, createServer } from 'node:net'

const BACKLOG = 1
/** More than the kernel takes in for this backlog: those beyond hang. */
const CROWD = 4

const server = createServer()
server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG }, () => {
  const { port } = server.address()
  for (let index = 0; index < CROWD; index += 1) connect(port, '127.0.0.1').on('error', () => {})
  // The connections were asked for by now; nothing of them is accepted once the thread sleeps.
  process.send({ ready: String(port) }, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})
