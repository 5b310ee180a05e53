/** The start of a program that calls many services: instances to connect to, and the start itself. */
import { createServer, connect as connectTo, type AddressInfo } from 'node:net'
import { connect, type Instance, type Rollcall } from '@rollcall/client'
import { serveProgram } from '../program.js'

/** The services and their instances. */
export interface Fleet {
  readonly url: string
  readonly services: readonly string[]
  readonly instances: number
  /** Of each service; they are at `hangingPort`. */
  readonly hanging: number
  readonly hangingPort: number
}

let provider: Rollcall | undefined

/** Registers all instances; those that do not hang are one listener in this process. */
async function provide({ url, services, instances, hanging, hangingPort }: Fleet): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1_024, resolve))
  const { port } = server.address() as AddressInfo
  provider = await connect({ registries: [url], snapshotDir: false })
  await provider.register(
    services.flatMap((service) =>
      Array.from({ length: instances }, (_, index) => ({
        service,
        id: `instance-${index}`,
        host: '127.0.0.1',
        port: index < hanging ? hangingPort : port,
        probe: { type: 'none' as const },
      })),
    ),
  )
}

/** How a program starts. */
export interface Start {
  readonly url: string
  readonly services: readonly string[]
  readonly timeoutMs: number
  /** One service after the other, one instance after the other. */
  readonly serial: boolean
}

/** Milliseconds from `connect` until all services are ready and all their instances were tried. */
async function start({ url, services, timeoutMs, serial }: Start): Promise<number> {
  const startedAt = performance.now()
  const client = await connect({
    registries: [url],
    snapshotDir: false,
    ...(serial ? { warmup: false } : { warmupTimeoutMs: timeoutMs }),
  })
  if (serial) {
    for (const name of services) {
      const service = client.service(name)
      await service.ready()
      for (const instance of service.instances()) await tryOne(instance, timeoutMs)
    }
  } else await client.ready(services, { timeoutMs: 60_000 })
  const ms = performance.now() - startedAt
  await client.close()
  return ms
}

function tryOne({ host, port }: Instance, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTo({ host, port })
    const timer = setTimeout(() => socket.destroy(), timeoutMs)
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** What this program can do. */
export type StartUpLoad = { readonly provide: typeof provide; readonly start: typeof start }
serveProgram({ provide, start } satisfies StartUpLoad)
