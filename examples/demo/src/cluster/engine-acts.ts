/** The acts in which something happens to etcd. */
import { act, tell } from '../narration.js'
import { type Company, pause } from './company.js'
import { after, type ClusterNode, within } from './nodes.js'

const OUTAGE_MS = 20_000

/** An instance that needs no process: what counts is what becomes of its registration. */
const guest = (id: string): object => ({
  service: 'guests',
  id,
  host: '127.0.0.1',
  port: 9,
  probe: { type: 'none' },
  leaseMs: 600_000,
})

export class EngineActs {
  private readonly company: Company
  private registered = 0
  private deregistered = 0
  private beats = 0

  constructor(company: Company) {
    this.company = company
  }

  async leaderKilled(): Promise<void> {
    const { company } = this
    act("etcd's leader is killed with SIGKILL")
    const leader = await company.etcd.leader()
    await leader.kill()
    tell(`the member on port ${leader.port} is dead; the other two elect a leader`)
    const began = performance.now()
    await company.node(0).post('register', { instances: [guest('after-leader')] })
    const answered = Math.round(performance.now() - began)
    await within(15_000, () => this.listed(company.node(1), 'after-leader'))
    const took = Math.round(performance.now() - began)
    tell(`a registration at n1 was answered after ${answered} ms and is at n2 after ${took} ms`)
    company.noteTime("etcd's leader killed: changes travel again within 10 s", took, 10_000)
    await leader.start()
    await company.whole()
    company.tellCalls()
  }

  async nodeAndLeaderKilled(): Promise<void> {
    const { company } = this
    act("A node and etcd's leader are killed at the same time")
    const victim = company.node(1)
    const leader = await company.etcd.leader()
    await Promise.all([victim.end('SIGKILL'), leader.kill()])
    tell(`${victim.name} and the member on port ${leader.port} are dead`)
    const moved = await company.settled()
    tell(`${after(moved)} all its sessions stand at the other nodes`)
    await pause(12_000)
    company.tellCalls()
    company.noteTime('node and leader killed: its sessions are elsewhere within 5 s', moved, 5_000)
    await leader.start()
    await victim.start()
    await company.whole()
    await company.agree()
  }

  async allMembersKilled(): Promise<void> {
    const { company } = this
    act('All members of etcd are killed')
    for (const node of company.nodes) await node.post('register', { instances: [guest(`old-${node.name}`)] })
    await within(10_000, async () => {
      const lists = await Promise.all(company.nodes.map((node) => this.guests(node)))
      return lists.every((ids) => company.nodes.every(({ name }) => ids.includes(`old-${name}`)))
    })
    await company.etcd.killAll()
    const slowest = await this.workWithoutEtcd()
    tell(
      `${OUTAGE_MS / 1_000} s without etcd: ${this.registered} registrations, ${this.deregistered} deregistrations and ${this.beats} beats at all three nodes, the slowest took ${slowest} ms`,
    )
    company.tellCalls()
    company.note(
      'no etcd: every node takes registrations, deregistrations, beats',
      `${this.registered + this.deregistered + this.beats} taken, slowest ${slowest} ms`,
      slowest <= 5_000,
    )
    const kept = (await Promise.all(company.nodes.map((node) => this.guests(node)))).flatMap((ids, index) =>
      ids.filter((id) => id.startsWith(`new-${company.node(index).name}-`)),
    )
    await company.etcd.startAll()
    tell('all members are started again')
    // Linked nodes told each other all the while, so that they agree says little before etcd has everything too.
    const took = await within(30_000, async () => {
      const published = await Promise.all(company.nodes.map((node) => company.published(node)))
      return published.every(Boolean) && (await this.agreeOnGuests(kept))
    })
    await company.agree()
    tell(
      `${after(took)} etcd has everything and all nodes list the same: what each took meanwhile is there, what left stays away`,
    )
    company.noteTime(
      'etcd back: it has all, and all nodes agree, within 10 s; nothing lost or resurrected',
      took,
      10_000,
    )
    await company.whole()
  }

  async nodeCutOff(): Promise<void> {
    const { company } = this
    act('A node is cut off from etcd, and from nothing else')
    const island = company.node(2)
    for (const relay of company.relays) relay.cut()
    const knows = await within(30_000, async () => (await island.cluster()).engine.state === 'lost')
    tell(`${after(knows)} ${island.name} knows it; it serves on, and sends its clients to the other nodes`)
    await island.post('register', { instances: [guest('islander')] })
    await pause(15_000)
    await company.tellNodes()
    company.tellCalls()
    for (const relay of company.relays) relay.heal()
    tell('the way is there again')
    const took = await within(
      20_000,
      async () => (await company.published(island)) && this.listed(company.node(0), 'islander'),
    )
    tell(`${after(took)} what ${island.name} took is in etcd, and n1 lists it`)
    company.noteTime('cut off and back: what the node took is in etcd within 10 s', took, 10_000)
    await company.whole()
  }

  /** Registers, beats and deregisters at every node; resolves to the slowest answer. */
  private async workWithoutEtcd(): Promise<number> {
    let slowest = 0
    const timed = async (node: ClusterNode, path: string, body: object): Promise<void> => {
      const began = performance.now()
      await node.post(path, body)
      slowest = Math.max(slowest, Math.round(performance.now() - began))
    }
    const end = performance.now() + OUTAGE_MS
    for (let round = 0; performance.now() < end; round++) {
      for (const node of this.company.nodes) {
        const id = `new-${node.name}-${round}`
        await timed(node, 'register', { instances: [guest(id)] })
        this.registered++
        await timed(node, 'heartbeat', { instances: [{ service: 'guests', id }] })
        this.beats++
        const leaver = round === 0 ? `old-${node.name}` : `new-${node.name}-${round - 1}`
        await timed(node, 'deregister', { instances: [{ service: 'guests', id: leaver }] })
        this.deregistered++
      }
      await pause(500)
    }
    return slowest
  }

  /** Whether all nodes list the same guests: all that were kept, and none that left. */
  private async agreeOnGuests(kept: readonly string[]): Promise<boolean> {
    const lists = await Promise.all(this.company.nodes.map((node) => this.guests(node)))
    const texts = new Set(lists.map((ids) => ids.toSorted().join()))
    const [ids = []] = lists
    const right = (id: string): boolean =>
      !id.startsWith('old-') && (!id.startsWith('new-') || kept.includes(id))
    return texts.size === 1 && kept.every((id) => ids.includes(id)) && ids.every(right)
  }

  private async guests(node: ClusterNode): Promise<string[]> {
    return (await node.view('guests')).instances.map(({ id }) => id)
  }

  private async listed(node: ClusterNode, id: string): Promise<boolean> {
    return (await this.guests(node).catch((): string[] => [])).includes(id)
  }
}
