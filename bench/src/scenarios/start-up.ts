/** Scenario `start-up`: until a program is ready some of whose instances hang in connect. */
import { measureOf, Series } from '../measure.js'
import type { Hanging } from '../programs/hanging.js'
import type { StartUpLoad } from '../programs/start-up-load.js'
import type { Scenario } from '../scenario.js'

const SERVICES = 50
const INSTANCES = 20
const HANGING = 1
const TIMEOUT_MS = 1_000

/** The start of a program some of whose instances hang in connect. */
export const startUp: Scenario = {
  name: 'start-up',
  about: `from connect() until ${SERVICES} services of ${INSTANCES} instances are ready and warmed up, 5 % of them hanging in connect`,
  baseline: `the time one instance may take to connect, ${TIMEOUT_MS.toLocaleString('en')} ms`,
  async run(stage) {
    const { long } = stage.options
    const rounds = long ? 11 : 5
    const server = await stage.server({ memory: true })
    const hanging = stage.program<Hanging>('hanging')
    const hangingPort = await hanging.call('listen')
    // It never answers; the rejection comes when the stage takes it away.
    hanging.call('hang', hangingPort).catch(() => {})
    const services = Array.from({ length: SERVICES }, (_, index) => `service-${index}`)
    const { url } = server
    await stage
      .program<StartUpLoad>('start-up-load')
      .call('provide', { url, services, instances: INSTANCES, hanging: HANGING, hangingPort })
    const consumer = stage.program<StartUpLoad>('start-up-load')
    const together = new Series()
    for (let round = -1; round < rounds; round++) {
      together.add({
        ms: await consumer.call('start', { url, services, timeoutMs: TIMEOUT_MS, serial: false }),
      })
      if (round < 0) together.clear()
    }
    const some = long ? services : services.slice(0, 5)
    const serially = await consumer.call('start', {
      url,
      services: some,
      timeoutMs: TIMEOUT_MS,
      serial: true,
    })
    const ms = together.of('ms')
    return {
      measures: [
        measureOf({
          name: `${SERVICES} services ready`,
          unit: 'ms',
          rollcall: ms,
          baseline: ms.map(() => TIMEOUT_MS),
          target: { of: 'ratio', atMost: 1.2 },
        }),
        measureOf({
          name: `beside it: ${some.length} services, one instance after the other`,
          unit: 'ms',
          rollcall: [serially],
        }),
      ],
      rounds,
      notes: [
        `One instance of each service listens with a full backlog: the kernel drops attempts to connect, as a host that is gone does. A fresh client each time, without snapshots, with the default warm-up. The serial way stands beside it for scale; it pays the timeout once for each instance that hangs.`,
      ],
    }
  },
}
