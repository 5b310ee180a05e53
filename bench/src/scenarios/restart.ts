/** Scenario `restart`: a killed node with 100,000 instances until it answers again. */
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { measureOf, Series } from '../measure.js'
import { cpuMs } from '../process-cpu.js'
import type { StreamLoad } from '../programs/stream-load.js'
import type { Scenario } from '../scenario.js'
import { signsOf } from './requests.js'

const INSTANCES = 100_000
const SERVICES = 1_000
const POLL_MS = 2
const READY_MS_MAX = 30_000

/** Milliseconds until GET answers 200 here, from now. */
async function untilAnswers(port: number, path: string): Promise<number> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < READY_MS_MAX) {
    if ((await accepts(port)) && (await answers(port, path))) return performance.now() - startedAt
    await sleep(POLL_MS)
  }
  throw new Error(`no answer on port ${port} within ${READY_MS_MAX} ms`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const end = (accepted: boolean): void => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

function answers(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).once('error', () => resolve(false))
  })
}

/** How long Node alone takes to serve HTTP. */
async function startBareNode(port: number): Promise<number> {
  const code = `require('node:http').createServer((q, s) => s.end('ok')).listen(${port}, '127.0.0.1')`
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    return await untilAnswers(port, '/')
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

/** A node with a hundred thousand instances is killed and started again. */
export const restart: Scenario = {
  name: 'restart',
  about: '100,000 instances in the journal: from the start of the process until /readyz says yes',
  baseline: 'the start of a Node process that serves HTTP and has nothing to read',
  async run(stage) {
    const rounds = stage.options.long ? 9 : 3
    const dataDir = stage.directory()
    const first = await stage.server({ dataDir })
    const load = stage.program<StreamLoad>('stream-load')
    const { port } = first
    await load.call('register', {
      port,
      from: 0,
      instances: INSTANCES,
      services: SERVICES,
      perMessage: 1_000,
    })
    const before = await signsOf(first.url)
    const [rollcall, baseline] = [new Series(), new Series()]
    let lastServer = first
    let changed = 0
    for (let round = -1; round < rounds; round++) {
      await lastServer.kill()
      const answered = untilAnswers(port, '/readyz')
      lastServer = await stage.server({ dataDir, listen: `127.0.0.1:${port}` })
      const ms = await answered
      const cpu = cpuMs(lastServer.pid)
      const after = await signsOf(lastServer.url)
      changed += [...before].filter(([service, sign]) => after.get(service) !== sign).length
      if (after.size !== before.size) throw new Error(`${after.size} services instead of ${before.size}`)
      const bareMs = await startBareNode(await freePortAfter(lastServer.port))
      // The first pair fills the file cache, as it is on a machine where only the process died.
      if (round < 0) continue
      rollcall.add({ ms, cpu })
      baseline.add({ ms: bareMs })
    }
    return {
      measures: [
        measureOf({
          name: 'process start → ready, after SIGKILL',
          unit: 'ms',
          rollcall: rollcall.of('ms'),
          baseline: baseline.of('ms'),
          target: { of: 'value', atMost: 1_000 },
        }),
        measureOf({ name: 'CPU time until ready', unit: 'ms', rollcall: rollcall.of('cpu') }),
        measureOf({
          name: 'services whose sign differs from before, all rounds',
          unit: '',
          rollcall: [changed],
          target: { of: 'value', atMost: 0 },
        }),
      ],
      rounds,
      notes: [
        `${before.size.toLocaleString('en')} services. The file cache is warm: the process was killed, not the machine.`,
      ],
    }
  },
}

/** A port near this one on which no process listens. */
async function freePortAfter(port: number): Promise<number> {
  for (let candidate = port + 1; ; candidate++) if (!(await accepts(candidate))) return candidate
}
