// A gRPC provider: `grpc-child.mjs REGISTRY SERVICE`. Answers every unary call with its pid after a few milliseconds;
// leaves gracefully on SIGTERM.
import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js'
import { connect } from '@rollcall/client'

const [registry, service] = process.argv.slice(2)
const server = new Server()
const bytes = (text) => Buffer.from(text)
const text = (buffer) => buffer.toString()
const method = (name) => ({
  path: `/shop.Orders/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: text,
  responseSerialize: bytes,
  responseDeserialize: text,
})
server.addService(
  { get: method('Get'), breakOff: method('BreakOff'), place: method('Place') },
  {
    get: (_call, callback) => setTimeout(() => callback(null, String(process.pid)), 5),
    // Whose pid is in the request begins to answer and dies.
    breakOff(call, callback) {
      if (call.request === String(process.pid)) {
        call.sendMetadata(new Metadata())
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20)
      } else callback(null, String(process.pid))
    },
    // No call is answered before the test is over.
    place: (_call, callback) => setTimeout(() => callback(null, ''), 60_000).unref(),
  },
)
const port = await new Promise((resolve, reject) => {
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  )
})
const rollcall = await connect({ registries: [registry], snapshotDir: false })
const { id } = await rollcall.register({ service, port })
process.once('SIGTERM', () => {
  void rollcall.close().then(() => server.tryShutdown(() => undefined))
})
process.send({ ready: id })
process.channel.unref()
