/** The acts in which something happens to nodes. */
import { act, tell } from '../narration.js'
import { end } from '../processes.js'
import { type Company, pause } from './company.js'
import { after, within } from './nodes.js'

export class NodeActs {
  private readonly company: Company

  constructor(company: Company) {
    this.company = company
  }

  /** What one node takes is at the others in no time. */
  async changeTravels(): Promise<void> {
    const { company } = this
    act('A change at one node is at the others')
    const [first, ...others] = company.nodes
    const times: number[] = []
    for (let round = 0; round < 20; round++) {
      const id = `visitor-${round}`
      await first?.post('register', {
        instances: [{ service: 'visitors', id, host: '127.0.0.1', port: 9, probe: { type: 'none' } }],
      })
      const took = await within(5_000, async () => {
        const views = await Promise.all(others.map((node) => node.view('visitors').catch(() => undefined)))
        return views.every((view) => view?.instances.some((instance) => instance.id === id) === true)
      })
      times.push(took ?? Number.POSITIVE_INFINITY)
    }
    const slowest = Math.max(...times)
    tell(
      `20 registrations at n1, one after the other: each was at n2 and n3 at most ${slowest} ms after its answer`,
    )
    company.noteTime('change at one node: at the others within 500 ms', slowest, 500)
  }

  async nodeKilled(): Promise<void> {
    const { company } = this
    act('A node is killed with SIGKILL')
    const victim = company.node(0)
    await victim.end('SIGKILL')
    tell(`${victim.name} is dead: its clients have to move, and the other nodes to judge what it judged`)
    const moved = await company.settled()
    tell(`${after(moved)} all its sessions stand at the other nodes`)
    await company.tellNodes()
    await pause(10_000) // longer than the lease of its key: the others must have taken over
    company.tellCalls()
    company.noteTime('node killed: its sessions are elsewhere within 5 s', moved, 5_000)
    const began = performance.now()
    await victim.start()
    const whole = await company.whole()
    const agreed = await company.agree()
    const took = Math.round(performance.now() - began)
    tell(
      `${victim.name} is started again with its journal: ready, and lists what the others list, in ${took} ms`,
    )
    company.noteTime(
      'node back: lists what all list within 10 s',
      whole === undefined || agreed === undefined ? undefined : took,
      10_000,
    )
  }

  async nodeKilledWithProviders(): Promise<void> {
    const { company } = this
    act('A node is killed together with providers that were registered there')
    const victim = company.node(1)
    const doomed = await Promise.all([1, 2].map(() => company.addProvider(victim.url, false)))
    await within(5_000, async () => {
      const { instances } = await company.node(0).view('orders')
      return doomed.every(({ id }) => instances.some((instance) => instance.id === id))
    })
    const ended = Promise.all(doomed.map(({ process }) => end(process, 'SIGKILL')))
    await victim.end('SIGKILL')
    await ended
    tell(`${victim.name} and the providers ${doomed.map(({ id }) => id).join(' and ')} are dead`)
    const took = await within(40_000, async () => {
      const views = await Promise.all(company.running.map((node) => node.view('orders')))
      return views.every(({ instances }) =>
        doomed.every(({ id }) => instances.find((instance) => instance.id === id)?.state !== 'up'),
      )
    })
    tell(`${after(took)} no node lists them as up: the other nodes took over and probed them`)
    company.tellCalls()
    company.noteTime('node killed with its instances: those are not up within 20 s', took, 20_000)
    await victim.start()
    await company.whole()
  }

  async rollingRestart(): Promise<void> {
    const { company } = this
    act('Every node is restarted, one after the other (SIGTERM)')
    const { calls, failures } = company.seen
    const failedBefore = failures.length
    const restarted: string[] = []
    for (const node of company.nodes) {
      const began = performance.now()
      await node.end('SIGTERM')
      await node.start()
      if ((await company.whole()) === undefined) continue
      restarted.push(`${node.name} ${Math.round(performance.now() - began)} ms`)
    }
    const agreed = await company.agree()
    const failed = company.seen.failures.length - failedBefore
    tell(`stopped, started, known to all: ${restarted.join(', ')}`)
    tell(`${company.seen.calls - calls} calls meanwhile, ${failed} failed`)
    await company.tellNodes()
    company.note(
      'rolling restart: no call fails, all agree',
      `${company.seen.calls - calls} calls, ${failed} failed`,
      failed === 0 && agreed !== undefined && restarted.length === company.nodes.length,
    )
  }
}
