/** Scenario `sizing`: what a node of a given size needs of a machine. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Measure, measureOf, Series } from '../measure.js'
import { cpuMs, settledCpuMs } from '../process-cpu.js'
import { residentBytes } from '../process-memory.js'
import type { StreamLoad } from '../programs/stream-load.js'
import type { Scenario, Stage } from '../scenario.js'
import { instancesOf } from './requests.js'

const SIZES = [1_000, 10_000, 100_000]
const SESSIONS_MAX = 1_000
const PING_MS = 3_000
const WINDOW_MS = 5_000
const MIB = 2 ** 20

/** Nodes of three sizes, in which nothing changes. */
export const sizing: Scenario = {
  name: 'sizing',
  about:
    'what a node needs of a machine: 1,000, 10,000 and 100,000 instances, held by at most 1,000 sessions',
  baseline: undefined,
  async run(stage) {
    const rounds = stage.options.long ? 6 : 3
    const measures: Measure[] = []
    for (const instances of SIZES) measures.push(...(await measure(stage, instances, rounds)))
    return {
      measures,
      rounds,
      notes: [
        'Instances have 188 bytes each on the wire, are spread over a hundredth as many services, and are not probed. Their sessions only ping, every 3 s.',
        'Resident memory is the most that it was since the start, with the default heap; what the collector would give back is in it.',
      ],
    }
  },
}

async function measure(stage: Stage, instances: number, rounds: number): Promise<readonly Measure[]> {
  const dataDir = stage.directory()
  const server = await stage.server({ dataDir })
  const load = stage.program<StreamLoad>('stream-load')
  const before = cpuMs(server.pid)
  const startedAt = performance.now()
  await load.call('hold', {
    port: server.port,
    from: 0,
    instances,
    sessions: Math.min(instances, SESSIONS_MAX),
    services: instances / 100,
    perMessage: 1_000,
    pingMs: PING_MS,
    unprobed: true,
  })
  const arrivalMs = performance.now() - startedAt
  const arrivalCpuMs = cpuMs(server.pid) - before
  await settledCpuMs(server.pid)
  const series = new Series()
  for (let round = 0; round < rounds; round++) {
    const cpu = cpuMs(server.pid)
    await sleep(WINDOW_MS)
    series.add({ share: ((cpuMs(server.pid) - cpu) / WINDOW_MS) * 100 })
  }
  const listed = await instancesOf(server.url)
  if (listed !== instances) throw new Error(`${listed} instances, not ${instances}`)
  const resident = residentBytes(server.pid).most / MIB
  const disk = sizeOf(dataDir) / MIB
  await load.stop()
  await server.kill()
  const of = (name: string): string => `${name}, ${instances.toLocaleString('en')} instances`
  return [
    measureOf({
      name: of('CPU while nothing changes, share of a core'),
      unit: '%',
      rollcall: series.of('share'),
    }),
    measureOf({ name: of('resident memory at most'), unit: 'MiB', rollcall: [resident] }),
    measureOf({ name: of('journal on disk'), unit: 'MiB', rollcall: [disk] }),
    measureOf({ name: of('all of them register at once, time'), unit: 'ms', rollcall: [arrivalMs] }),
    measureOf({ name: of('all of them register at once, CPU time'), unit: 'ms', rollcall: [arrivalCpuMs] }),
  ]
}

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}
