/** Scenario `batch`: registering over the stream, 1,000 instances per message. */
import { measureOf, Series } from '../measure.js'
import { settledCpuMs } from '../process-cpu.js'
import type { BareStream } from '../programs/bare-stream.js'
import type { StreamLoad } from '../programs/stream-load.js'
import type { Scenario } from '../scenario.js'
import { instancesOf } from './requests.js'

const PER_MESSAGE = 1_000
const SERVICES = 1_000

/** A thousand new instances per message of the stream, acknowledged when they are on disk. */
export const batch: Scenario = {
  name: 'batch',
  about: 'new instances over the stream, 1,000 per message, acknowledged after the group commit',
  baseline:
    'a bare ws server that reads the same messages with JSON.parse and answers every item, and keeps nothing',
  async run(stage) {
    const rounds = stage.options.long ? 9 : 4
    const instances = stage.options.long ? 100_000 : 60_000
    const server = await stage.server()
    const bare = stage.program<BareStream>('bare-stream')
    const load = stage.program<StreamLoad>('stream-load')
    const rollcall = { port: server.port, pid: server.pid, series: new Series() }
    const baseline = { port: await bare.call('listen'), pid: bare.pid, series: new Series() }
    let from = 0
    let bytes = 0
    const round = async ({ port, pid, series }: typeof rollcall): Promise<void> => {
      const before = await settledCpuMs(pid)
      const done = await load.call('register', {
        port,
        from,
        instances,
        services: SERVICES,
        perMessage: PER_MESSAGE,
      })
      const cpuSeconds = ((await settledCpuMs(pid)) - before) / 1_000
      if (pid === server.pid && done.durability !== 'disk')
        throw new Error(`acknowledged as ${done.durability}`)
      bytes = done.bytes
      series.add({ perCpuSecond: instances / cpuSeconds, rate: instances / done.seconds })
    }
    for (let index = -1; index < rounds; index++) {
      await (index < 0 ? round(rollcall) : stage.profiled(server, 'batches', () => round(rollcall)))
      await round(baseline)
      from += instances
      // The first pair is the warm-up.
      if (index < 0) for (const { series } of [rollcall, baseline]) series.clear()
    }
    const listed = await instancesOf(server.url)
    if (listed !== from) throw new Error(`${listed} instances after ${from} registrations`)
    const both = (name: string) => ({
      rollcall: rollcall.series.of(name),
      baseline: baseline.series.of(name),
    })
    return {
      measures: [
        measureOf({
          name: 'instances per second of CPU time (all threads)',
          unit: '1/s',
          ...both('perCpuSecond'),
          target: { of: 'value', atLeast: 150_000 },
        }),
        measureOf({ name: 'instances/s', unit: '1/s', ...both('rate') }),
      ],
      rounds,
      notes: [
        `${instances.toLocaleString('en')} instances a round, ${Math.round(bytes / instances)} bytes each on the wire, in ${SERVICES.toLocaleString('en')} services; ` +
          `${from.toLocaleString('en')} on the node at the end.`,
        'The comparison with the batches of etcd and ZooKeeper comes with the engine.',
      ],
    }
  },
}
