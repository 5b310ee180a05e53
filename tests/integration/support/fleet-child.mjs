// Many instances in one process: `fleet-child.mjs JSON`, see fleet.ts. Some have a session of the SDK each, some beat
// over HTTP like a client in another language; each has a port of its own, unless no process shall listen there.
import { createServer } from 'node:http'
import { connect } from '@rollcall/client'

const BATCH = 100

const {
  registry,
  registries = [registry],
  service,
  host = '127.0.0.1',
  sessions = 0,
  beats = 0,
  beatAt = [registry],
  beatMs = 5_000,
  leaseMs,
  silentPortsFrom,
  backlog = 1,
} = JSON.parse(process.argv[2])

let named = 0

/** A port that answers with the pid. Unless told otherwise it holds two connections that are not taken yet, so that it can be filled. */
async function instance() {
  if (silentPortsFrom !== undefined) return { service, host, port: silentPortsFrom + named++ }
  const web = createServer((_request, response) => response.end(String(process.pid)))
  await new Promise((resolve) => web.listen({ port: 0, host, backlog }, resolve))
  return { service, host, port: web.address().port }
}

const instances = (count) => Promise.all(Array.from({ length: count }, instance))

async function hold(one) {
  const rollcall = await connect({ registries, snapshotDir: false })
  return (await rollcall.register({ ...one, leaseMs })).id
}

let turn = 0

async function post(path, body, timeoutMs = 10_000, tries = beatAt.length) {
  const at = beatAt[turn++ % beatAt.length]
  try {
    const answer = await fetch(`${at}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    })
    return await answer.json()
  } catch (error) {
    if (tries <= 1) throw error
    return post(path, body, timeoutMs, tries - 1)
  }
}

/** Whether no answer came, as while a registry is away. Everything else is a fault of this program, which must not look like silence. */
function isUnanswered(error) {
  return error.name === 'TimeoutError' || error.name === 'SyntaxError' || error.message === 'fetch failed'
}

/** Registers, then beats for ever; what the registry does not know is registered again, what was not answered waits. */
async function beat(batch) {
  const registered = batch.map((one) => ({ ...one, id: `${one.host}:${one.port}`, leaseMs }))
  await post('register', { instances: registered })
  const refs = registered.map(({ id }) => ({ service, id }))
  const tell = async () => {
    try {
      const { unknown } = await post('heartbeat', { instances: refs }, Math.max(1_000, Math.ceil(beatMs / 2)))
      const lost = registered.filter(({ id }) => unknown?.some((each) => each.id === id))
      if (lost.length > 0) await post('register', { instances: lost })
    } catch (error) {
      // The next beat is another try.
      if (!isUnanswered(error)) throw error
    }
  }
  setInterval(() => void tell(), beatMs)
  return refs.map(({ id }) => id)
}

const beating = await instances(beats)
const batches = []
while (beating.length > 0) batches.push(beating.splice(0, BATCH))
const ids = {
  sessions: await Promise.all((await instances(sessions)).map(hold)),
  beats: (await Promise.all(batches.map(beat))).flat(),
}
process.send?.({ ready: JSON.stringify(ids) })
