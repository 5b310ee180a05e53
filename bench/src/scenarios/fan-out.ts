/** Scenarios of pushes: one change, and bursts of changes, to very many subscribers. */
import { measureOf, Series, type Measure } from '../measure.js'
import { settledCpuMs } from '../process-cpu.js'
import type { Program } from '../program.js'
import type { BareSockets } from '../programs/bare-sockets.js'
import type { Changes, Delivery, FanOutLoad } from '../programs/fan-out-load.js'
import { formatNumber } from '../report.js'
import type { Scenario, Stage } from '../scenario.js'
import type { ServerProcess } from '@rollcall/testkit'

const INSTANCES = 1_000
const BURSTS = 5
const BURST = 200

/** Both sides with the same number of subscribers. */
interface Field {
  readonly stage: Stage
  readonly server: ServerProcess
  readonly bare: Program<BareSockets>
  readonly load: Program<FanOutLoad>
  /** The audience of the bare server has a process of its own: 20,000 sockets are more than many limits allow. */
  readonly replay: Program<FanOutLoad>
}

interface Pushes {
  readonly rollcall: Series
  readonly baseline: Series
  last: Delivery
}

async function measured(
  pid: number,
  series: Series | undefined,
  work: () => Promise<Delivery>,
): Promise<Delivery> {
  const before = await settledCpuMs(pid)
  const delivery = await work()
  const cpuUs = ((await settledCpuMs(pid)) - before) * 1_000
  const deliveries = delivery.subscribers * delivery.frames
  series?.add({ cpuUs: cpuUs / deliveries, p50Ms: delivery.p50Ms, p99Ms: delivery.p99Ms })
  return delivery
}

/** Rounds of the same changes, each followed by its replay through the bare server. */
async function push(
  { stage, server, bare, load, replay }: Field,
  what: string,
  changes: Changes,
  rounds: number,
): Promise<Pushes> {
  const [rollcall, baseline] = [new Series(), new Series()]
  let last: Delivery | undefined
  for (let round = 0; round <= rounds; round++) {
    // The first pair is the warm-up, and short.
    const warm = round > 0
    await load.call('beat')
    const asked = warm ? changes : { ...changes, steps: Math.ceil(changes.steps / 4) }
    const work = () => measured(server.pid, warm ? rollcall : undefined, () => load.call('change', asked))
    last = await (warm ? stage.profiled(server, what, work) : work())
    const { script } = last
    await measured(bare.pid, warm ? baseline : undefined, () =>
      replay.call('replay', { script, intervalMs: changes.intervalMs }),
    )
  }
  if (last === undefined) throw new Error('nothing was pushed')
  return { rollcall, baseline, last }
}

/** What was pushed to so many subscribers. */
interface Season {
  readonly subscribers: number
  readonly list: { readonly listBytes: number; readonly compressedListBytes: number }
  readonly one: Pushes
  readonly acknowledged: Pushes
  readonly burst: Pushes
}

async function season(stage: Stage, subscribers: number, rounds: number): Promise<Season> {
  const server = await stage.server()
  const bare = stage.program<BareSockets>('bare-sockets')
  const load = stage.program<FanOutLoad>('fan-out-load')
  const replay = stage.program<FanOutLoad>('fan-out-load')
  const field: Field = { stage, server, bare, load, replay }
  await load.call('provide', { port: server.port, count: INSTANCES })
  const list = await load.call('watch', { port: server.port, count: subscribers })
  await replay.call('listen', { ...(await bare.call('listen')), count: subscribers })

  // Longer than the window in which changes merge, so that each is told at once.
  const intervalMs = Math.max(50, Math.min(300, subscribers * 0.05))
  const steps = Math.floor((stage.options.long ? 5_000 : 2_000) / intervalMs)
  const single: Changes = { steps, perStep: 1, intervalMs, acknowledge: false }
  const bursts: Changes = { steps: BURSTS, perStep: BURST, intervalMs: 500, acknowledge: false }
  const result = {
    subscribers,
    list,
    one: await push(field, `one change at a time, ${subscribers} subscribers`, single, rounds),
    acknowledged: await push(
      field,
      `one change at a time, acknowledged, ${subscribers} subscribers`,
      { ...single, acknowledge: true },
      rounds,
    ),
    burst: await push(field, `bursts of ${BURST} changes, ${subscribers} subscribers`, bursts, rounds),
  }
  await stage.close()
  return result
}

function measuresOf({ subscribers, list, one, acknowledged, burst }: Season): Measure[] {
  const both = ({ rollcall, baseline }: Pushes, name: string) => ({
    rollcall: rollcall.of(name),
    baseline: baseline.of(name),
  })
  const n = subscribers.toLocaleString('en')
  const cpu = { of: 'ratio', atMost: 1.4 } as const
  const soon = { of: 'value', atMost: subscribers > 1_000 ? 1_000 : 50 } as const
  return [
    measureOf({
      name: `CPU time per delivered change, ${n} subscribers`,
      unit: 'µs',
      ...both(one, 'cpuUs'),
      target: cpu,
    }),
    measureOf({
      name: `the same, acknowledged by every subscriber, ${n}`,
      unit: 'µs',
      ...both(acknowledged, 'cpuUs'),
    }),
    measureOf({
      name: `CPU time per delivered frame, bursts of ${BURST}, ${n}`,
      unit: 'µs',
      ...both(burst, 'cpuUs'),
    }),
    measureOf({ name: `change → subscriber p50, ${n}`, unit: 'ms', ...both(one, 'p50Ms') }),
    measureOf({ name: `change → subscriber p99, ${n}`, unit: 'ms', ...both(one, 'p99Ms'), target: soon }),
    measureOf({ name: `burst of ${BURST} → subscriber p99, ${n}`, unit: 'ms', ...both(burst, 'p99Ms') }),
    measureOf({
      name: `bytes of one change (floor: of the whole list), ${n} subscribers`,
      unit: 'B',
      rollcall: [one.last.bytes / one.last.frames],
      baseline: [list.listBytes],
      target: { of: 'ratio', atMost: 0.01 },
    }),
  ]
}

function notesOf({ subscribers, list, burst }: Season): string {
  const number = (value: number): string => Math.round(value).toLocaleString('en')
  return (
    `${number(subscribers)} subscribers: the whole list of ${number(INSTANCES)} instances is ${number(list.listBytes)} bytes, ` +
    `${number(list.compressedListBytes)} compressed; a burst of ${BURST} changes came in ${formatNumber(burst.last.frames / BURSTS)} frames ` +
    `of ${number(burst.last.bytes / burst.last.frames)} bytes on average.`
  )
}

/** One change to many subscribers. */
export const fanOut: Scenario = {
  name: 'fan-out',
  about: 'changes of a service of 1,000 instances to all its subscribers on the stream',
  baseline: 'a bare node:net server that writes the same bytes to as many sockets',
  async run(stage) {
    const { long } = stage.options
    const rounds = long ? 5 : 3
    const seasons = [await season(stage, 1_000, rounds)]
    if (long) seasons.push(await season(stage, 10_000, rounds))
    return { measures: seasons.flatMap(measuresOf), rounds, notes: seasons.map(notesOf) }
  },
}
