// A provider for calls, without a registry: `call-provider-child.mjs [mute]`. Ready with its port; tells each request.
// A mute one accepts everything and answers nothing.
// /pid its pid · /echo the body · /hang no answer · /late?ms=N its pid after N ms · /break half an answer · /timeout the
// header of the deadline
import { createServer } from 'node:http'

const web = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://provider')
  process.send?.({ request: `${request.method} ${pathname}` })
  response.once('close', () => {
    if (!response.writableFinished) process.send?.({ cancelled: `${request.method} ${pathname}` })
  })
  if (process.argv[2] === 'mute') return
  const { pid } = process
  const answers = {
    '/echo': () => request.pipe(response),
    '/hang': () => request.resume(),
    '/late': () => setTimeout(() => response.end(String(pid)), Number(searchParams.get('ms'))),
    '/break': () => response.write('half of', () => setTimeout(() => response.destroy(), 50)),
    '/timeout': () => response.end(request.headers['x-rollcall-timeout-ms'] ?? 'none'),
    '/pid': () => response.end(String(pid)),
  }
  answers[pathname]()
})
// Longer than any test: only clients close connections.
web.keepAliveTimeout = 600_000
web.on('connection', (socket) => {
  process.send?.({ connection: 'opened' })
  socket.once('close', () => process.send?.({ connection: 'closed' }))
})
await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve))
process.send?.({ ready: String(web.address().port) })
