/** Scenario `idle`: 100,000 instances in which nothing changes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { INSPECTABLE, inspect } from '../inspector.js'
import { measureOf, Series } from '../measure.js'
import { cpuMs, settledCpuMs } from '../process-cpu.js'
import type { BareStream } from '../programs/bare-stream.js'
import type { StreamLoad } from '../programs/stream-load.js'
import type { Scenario } from '../scenario.js'
import { instancesOf } from './requests.js'

const INSTANCES = 100_000
const SESSIONS = 1_000
const PING_MS = 3_000
const WINDOW_MS = 5_000

/** A large registry in which nothing happens. */
export const idle: Scenario = {
  name: 'idle',
  about: '100,000 instances held by 1,000 sessions that only ping, every 3 s as the SDK does',
  baseline: 'a bare ws server that answers the same pings of as many sessions and keeps no instances',
  async run(stage) {
    const rounds = stage.options.long ? 12 : 3
    const server = await stage.server({ env: INSPECTABLE })
    const bare = stage.program<BareStream>('bare-stream')
    const barePort = await bare.call('listen')
    const inspector = await inspect(server)
    const empty = await inspector.heapAfterCollection()
    const crowd = {
      from: 0,
      instances: INSTANCES,
      sessions: SESSIONS,
      services: 1_000,
      perMessage: 1_000,
      pingMs: PING_MS,
      unprobed: true,
    }
    await stage.program<StreamLoad>('stream-load').call('hold', { ...crowd, port: server.port })
    await stage.program<StreamLoad>('stream-load').call('hold', { ...crowd, port: barePort })
    await settledCpuMs(server.pid)

    const [rollcall, baseline] = [new Series(), new Series()]
    // Side by side instead of in turn: neither takes anything from the other.
    for (let round = 0; round < rounds; round++) {
      const before = { own: cpuMs(server.pid), bare: cpuMs(bare.pid) }
      await sleep(WINDOW_MS)
      rollcall.add({ share: ((cpuMs(server.pid) - before.own) / WINDOW_MS) * 100 })
      baseline.add({ share: ((cpuMs(bare.pid) - before.bare) / WINDOW_MS) * 100 })
    }
    const full = await inspector.heapAfterCollection()
    inspector.close()
    const listed = await instancesOf(server.url)
    if (listed !== INSTANCES) throw new Error(`${listed} instances, not ${INSTANCES}`)
    const perInstance = (full.heapBytes - empty.heapBytes) / INSTANCES
    return {
      measures: [
        measureOf({
          name: 'CPU, share of a core',
          unit: '%',
          rollcall: rollcall.of('share'),
          baseline: baseline.of('share'),
          target: { of: 'value', atMost: 5 },
        }),
        measureOf({
          name: 'heap per instance after a full collection',
          unit: 'B',
          rollcall: [perInstance],
          target: { of: 'value', atMost: 1_536 },
        }),
        measureOf({
          name: 'memory outside the heap per instance',
          unit: 'B',
          rollcall: [(full.externalBytes - empty.externalBytes) / INSTANCES],
        }),
        measureOf({
          name: 'resident memory of the process',
          unit: 'MiB',
          rollcall: [full.residentBytes / 2 ** 20],
        }),
      ],
      rounds,
      notes: [
        'Heap: what `HeapProfiler.collectGarbage` leaves, asked through the inspector, minus the same before the first registration; sessions and sockets are included.',
        `${rounds} windows of ${WINDOW_MS / 1_000} s. The instances register with \`probe: none\`, so that the first minute shows what every later one does.`,
      ],
    }
  },
}
