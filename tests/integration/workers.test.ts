/** Several processes behind one port, as node:cluster makes them: the list is never empty while one answers. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Instance, type Rollcall, type Service } from '@rollcall/client'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Child, endAll, freePort, start, until } from './support/processes.js'

let registry: ServerProcess
let consumer: Rollcall

/** A program of three workers, and everything its consumer was shown of it. */
interface Program {
  readonly child: Child
  readonly port: number
  readonly service: Service
  /** What `pick()` could not do, and each list that was other than one instance. */
  readonly troubles: string[]
  stop(): void
}

async function run(way: 'serve' | 'register'): Promise<Program> {
  const port = await freePort()
  // A service of its own: the dead of the one before stay listed for a while.
  const name = `workers-${port}`
  const service = consumer.service(name)
  const child = await start('workers-child.mjs', registry.url, way, name, String(port))
  await service.ready()
  const troubles: string[] = []
  const look = (list: readonly Instance[], when: string): void => {
    const states = list.map(({ state }) => state).join(' ')
    if (list.length !== 1 || states === 'suspect' || states === 'down') troubles.push(`${when}: [${states}]`)
  }
  const changes = service.changes()
  void (async () => {
    for await (const { instances } of changes) look(instances, 'listed')
  })()
  const timer = setInterval(() => {
    try {
      service.pick()
    } catch (error) {
      troubles.push(String(error))
    }
  }, 5)
  return {
    child,
    port,
    service,
    troubles,
    stop() {
      clearInterval(timer)
      void changes.return?.()
    },
  }
}

const holder = ({ service }: Program): number => Number(service.instances()[0]?.metadata['pid'])

/** Ends a worker, and waits until it is gone. */
async function end({ child }: Program, pid: number, signal: string): Promise<void> {
  child.process.send({ pid, signal })
  for (;;) {
    const [message] = (await once(child.process, 'message')) as [{ readonly ended?: number }]
    if (message.ended === pid) return
  }
}

function answers(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, agent: false }, (response) => {
      let body = ''
      response.on('data', (data) => (body += String(data))).on('end', () => resolve(Number(body)))
    })
      .on('error', reject)
      .end()
  })
}

beforeAll(async () => {
  registry = await startServerProcess()
  consumer = await connect({ registries: [registry.url], snapshotDir: false, warmup: false })
})

afterEach(endAll)

afterAll(async () => {
  await consumer.close()
  await endAll()
  await killServerProcesses()
})

describe.each(['serve', 'register'] as const)('three workers with %s()', (way) => {
  it.each(['SIGTERM', 'SIGKILL'])('hand the id on when the one that holds it ends by %s', async (signal) => {
    const program = await run(way)
    try {
      const ended = new Set<number>()
      for (let round = 0; round < 2; round += 1) {
        const pid = holder(program)
        expect(ended.has(pid)).toBe(false)
        ended.add(pid)
        await end(program, pid, signal)
        await until(() => holder(program) !== pid, `another takes over from ${pid}`, 2_000)
        expect(ended.has(await answers(program.port))).toBe(false)
      }
      expect(program.troubles).toEqual([])
      await end(program, holder(program), signal)
      await until(
        () => !program.service.instances().some(({ state }) => state === 'up'),
        'the last one is gone',
      )
    } finally {
      program.stop()
    }
  })
})
