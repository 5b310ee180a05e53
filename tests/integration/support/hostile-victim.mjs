// A program that uses everything of the SDK all the time, whatever the registry does: `hostile-victim.mjs REGISTRY`.
// Says how it is ten times a second, ends by itself after `close`, and dies of any error that is not handled.
import { connect } from '@rollcall/client'

const [registry] = process.argv.slice(2)
const rollcall = await connect({
  registries: [registry],
  snapshotDir: false,
  warmupTimeoutMs: 50,
  times: {
    dialTimeoutMs: 300,
    retryMsMin: 1,
    retryMsMax: 20,
    pendingMs: 50,
    holdOffMs: 50,
    conflictMs: 50,
    requestTimeoutMs: 200,
    compareMs: 100,
  },
})
const services = ['victim', 's0', 's1', 's2'].map((name) => rollcall.service(name))
let closing = false
let registration

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function provide() {
  while (!closing) {
    try {
      registration = await rollcall.register({ service: 'victim', id: 'v', port: 9, probe: { type: 'none' } })
      for (;;) {
        await registration.update({ weight: 1 }, { signal: AbortSignal.timeout(200) }).catch(() => {})
        await pause(20)
        if (closing) return
      }
    } catch {
      await pause(5)
    }
  }
}

async function consume(service) {
  while (!closing) {
    await service.ready({ timeoutMs: 50 }).catch(() => {})
    try {
      service.report(service.pick(), 'timeout')
      if (service.instances().length < 1_000) service.shards(16).own()
    } catch {
      // No node is there.
    }
    await service.fetch('/', { timeoutMs: 50 }).then(
      (response) => response.body?.cancel(),
      () => {},
    )
    await pause(5)
  }
}

async function follow(service) {
  for await (const { instances } of service.changes())
    if (!Array.isArray(instances)) throw new Error('no list')
}

const work = Promise.all([provide(), ...services.flatMap((service) => [consume(service), follow(service)])])
const report = () => {
  const lists = services.map((service) => {
    const list = service.instances()
    return { length: list.length, first: list[0]?.id }
  })
  process.send({ state: registration?.state, lists })
}
const timer = setInterval(report, 100)
process.on('message', () => {
  closing = true
  clearInterval(timer)
  void rollcall
    .close()
    .then(() => work)
    .then(() => process.disconnect())
})
process.send({ ready: 'victim' })
