/** Looks into a running server from outside, through Node's own inspector: its heap after a collection, its profile. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerProcess } from '@rollcall/testkit'
import { WebSocket } from 'ws'

/** For the environment of a server that is to be inspected: no signal opens the inspector of a node later. */
export const INSPECTABLE: Readonly<{ NODE_OPTIONS: string }> = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/** Bytes in use after a full collection. */
export interface HeapFigures {
  readonly heapBytes: number
  /** Memory outside the heap that belongs to objects in it. */
  readonly externalBytes: number
  readonly residentBytes: number
}

/** A place in the code and the share of CPU time it took by itself. */
export interface HotSpot {
  readonly share: number
  readonly where: string
}

/** A connection to the inspector of one process. */
export interface Inspector {
  heapAfterCollection(): Promise<HeapFigures>
  startProfile(): Promise<void>
  /** Where time went since `startProfile`, the largest share first. */
  stopProfile(): Promise<readonly HotSpot[]>
  close(): void
}

const WAKE_MS_MAX = 5_000
const SAMPLING_US = 200

/** Speaks to the inspector of a server that was started with INSPECTABLE. */
export async function inspect(server: ServerProcess): Promise<Inspector> {
  const url = await inspectorUrl(server)
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 1_073_741_824 })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const calls = new Map<number, Pending>()
  let ids = 0
  socket.on('message', (data) => {
    const { id, result, error } = JSON.parse((data as Buffer).toString()) as InspectorAnswer
    const call = calls.get(id ?? 0)
    calls.delete(id ?? 0)
    if (error === undefined) call?.resolve(result as never)
    else call?.reject(new Error(error.message))
  })
  const call = <T>(method: string, params: object = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = ++ids
      calls.set(id, { resolve, reject })
      socket.send(JSON.stringify({ id, method, params }))
    })
  return {
    async heapAfterCollection() {
      // The second collection takes what finalizers of the first let go.
      for (let turn = 0; turn < 2; turn++) await call('HeapProfiler.collectGarbage')
      const { result } = await call<{ result: { value: NodeJS.MemoryUsage } }>('Runtime.evaluate', {
        expression: 'process.memoryUsage()',
        returnByValue: true,
      })
      return {
        heapBytes: result.value.heapUsed,
        externalBytes: result.value.external,
        residentBytes: result.value.rss,
      }
    },
    async startProfile() {
      await call('Profiler.enable')
      await call('Profiler.setSamplingInterval', { interval: SAMPLING_US })
      await call('Profiler.start')
    },
    async stopProfile() {
      const { profile } = await call<{ profile: Profile }>('Profiler.stop')
      return hotSpots(profile)
    },
    close: () => socket.close(),
  }
}

async function inspectorUrl(server: ServerProcess): Promise<string> {
  for (let waitedMs = 0; waitedMs < WAKE_MS_MAX; waitedMs += 20) {
    const url = /Debugger listening on (ws:\S+)/.exec(server.stderr())?.[1]
    if (url !== undefined) return url
    await sleep(20)
  }
  throw new Error(`the inspector did not start\n${server.stderr()}`)
}

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

interface InspectorAnswer {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** The parts of a V8 CPU profile that are read here. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Self time by function, as shares of the time that was not idle. */
export function hotSpots({ nodes, samples, timeDeltas }: Profile): HotSpot[] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const times = new Map<string, number>()
  let busy = 0
  for (const [index, id] of samples.entries()) {
    const place = places.get(id) ?? ''
    const us = timeDeltas[index] ?? 0
    if (place === '(idle)') continue
    busy += us
    times.set(place, (times.get(place) ?? 0) + us)
  }
  return [...times].map(([where, us]) => ({ where, share: us / busy })).sort((a, b) => b.share - a.share)
}

function placeOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  if (functionName.startsWith('(')) return functionName
  const file = /(?:packages\/(.*)|node_modules\/(.*)|(node:.*))$/
    .exec(url)
    ?.slice(1)
    .find((part) => part !== undefined)
  return `${functionName === '' ? 'anonymous' : functionName}${file === undefined ? '' : ` ${file}:${lineNumber + 1}`}`
}
