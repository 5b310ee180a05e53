/** Nodes in simulated time around an engine that merges what they write, with links between them that tests cut. */
import type { Session, SessionOptions } from '../caller.js'
import type { RegisterCommand } from '../commands.js'
import { merge } from '../records/merge.js'
import type { StoredRecord } from '../records/record.js'
import { Simulation, type SimulationOptions } from '../simulated-node.fixture.js'
import type { PeerNode } from './peers.js'

/** How long the key of a node outlives it, and how soon a node knows that it lost the engine. */
const KEY_MS = 6_000

/** A step of the world: what is written or passed on is there in the next. */
const STEP_MS = 50

interface Member {
  readonly sim: Simulation
  readonly peer: PeerNode
  alive: boolean
  /** It reaches the engine. */
  engine: boolean
  /** When it last did. */
  seenAt: number
  /** How much of its journal was looked at, and of the engine's log. */
  read: number
  heard: number
  unpublished: StoredRecord[]
}

export class Nodes {
  private readonly members: Member[]
  private readonly stored = new Map<string, StoredRecord>()
  private readonly log: StoredRecord[] = []
  private readonly cut = new Set<string>()
  private keys = ''
  /** Records that nodes wrote by their own doing: each is a write to the engine. */
  writes = 0

  /** Nodes called by these names, of which `options` are the same. */
  constructor(names: readonly string[], options: SimulationOptions = {}) {
    this.members = names.map((name) => create(name, `${name}.1`, options))
    this.connect()
    this.run(STEP_MS)
  }

  get(name: string): Simulation {
    return this.member(name).sim
  }

  /** How the ports of all instances answer, from everywhere. */
  network(answer: Simulation['network']): void {
    for (const { sim } of this.members) sim.network = answer
  }

  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += STEP_MS) this.step()
  }

  /** Does something every so often for a while. */
  every(everyMs: number, forMs: number, run: (turn: number) => void): void {
    for (let turn = 0; turn * everyMs < forMs; turn++) {
      run(turn)
      this.run(everyMs)
    }
  }

  /** It is gone, with its sockets or silently: peers notice at once, or never. */
  kill(name: string): void {
    const member = this.member(name)
    member.alive = false
    for (const other of this.members)
      if (other.alive) other.sim.node.adoption.silent(member.peer.node, other.sim.now)
  }

  /** The next boot of a node that was killed, with what its journal had. */
  restart(name: string, options: SimulationOptions = {}): Simulation {
    const before = this.member(name)
    const boot = Number(before.peer.node.split('.').at(-1)) + 1
    const member = create(name, `${name}.${boot}`, options)
    while (member.sim.now < before.sim.now || member.sim.now < this.now) member.sim.run(STEP_MS)
    member.sim.node.load([...before.sim.node.snapshot()], member.sim.now)
    member.seenAt = member.sim.now
    this.members[this.members.indexOf(before)] = member
    this.connect()
    return member.sim
  }

  /** Whether a node reaches the engine. */
  engine(name: string, reached: boolean): void {
    this.member(name).engine = reached
  }

  /** Whether two nodes reach each other. */
  link(one: string, other: string, up: boolean): void {
    const [a, b] = [this.member(one), this.member(other)]
    if (up) this.cut.delete(pair(a, b))
    else this.cut.add(pair(a, b))
    for (const [here, there] of [
      [a, b],
      [b, a],
    ] as const) {
      if (up) here.sim.node.adoption.heard(there.peer.node)
      else here.sim.node.adoption.silent(there.peer.node, here.sim.now)
    }
  }

  register(name: string, overrides: Partial<RegisterCommand> = {}, session?: Session): void {
    this.get(name).register({ incarnation: 5, ...overrides }, session)
  }

  /** A client with an open session, which pings like one. */
  session(name: string, options: SessionOptions = {}): Session {
    return this.get(name).openSession(options)
  }

  /** What each node shows of an instance, and who judges it. */
  seen(id = 'a'): string[] {
    return this.members
      .filter(({ alive }) => alive)
      .map(({ sim }) => `${sim.shown(id) ?? 'hidden'} ${sim.record(id)?.verdict.node ?? 'none'}`)
  }

  private get now(): number {
    return Math.max(...this.members.filter(({ alive }) => alive).map(({ sim }) => sim.now))
  }

  private member(name: string): Member {
    const member = this.members.find(({ peer }) => peer.name === name)
    if (member === undefined) throw new Error(`there is no node ${name}`)
    return member
  }

  private connect(): void {
    for (const from of this.members) {
      const tell = (judge: string, message: (to: Simulation) => void): void => {
        const to = this.members.find(({ peer }) => peer.node === judge)
        if (to?.alive === true && !this.cut.has(pair(from, to))) from.sim.after(0, () => message(to.sim))
      }
      from.sim.passOn = (judge, ref, agoMs) =>
        tell(judge, (to) => to.node.heardElsewhere([ref], agoMs, to.now))
      from.sim.passUnreachable = (judge, refs) =>
        tell(judge, (to) => to.node.unreachableElsewhere(refs, to.now))
    }
  }

  private step(): void {
    const living = this.members.filter(({ alive }) => alive)
    for (const { sim } of living) sim.run(STEP_MS)
    for (const member of living) this.collect(member)
    for (const member of living) this.publish(member)
    for (const member of living) this.learn(member)
    this.announce(living)
  }

  private collect(member: Member): void {
    const { entries } = member.sim
    for (const entry of entries.slice(member.read)) {
      if (entry.kind !== 'record') continue
      this.writes += 1
      member.unpublished.push(entry.record)
    }
    member.read = entries.length
  }

  private publish(member: Member): void {
    if (!member.engine) return
    for (const record of member.unpublished.splice(0)) {
      const key = `${record.service}/${record.group}/${record.id}`
      const before = this.stored.get(key)
      const merged = before === undefined ? record : merge(before, record)
      if (merged === before) continue
      this.stored.set(key, merged)
      this.log.push(merged)
    }
  }

  private learn(member: Member): void {
    if (!member.engine) return
    const { sim } = member
    for (const record of this.log.slice(member.heard)) {
      const before = sim.entries.length
      sim.node.learn([JSON.parse(JSON.stringify({ kind: 'record', record }))], sim.now)
      this.answered(member, record, before)
      const entry = sim.node.directory.entry(record)
      if (entry !== undefined) entry.revision = this.log.length
    }
    member.heard = this.log.length
    member.read = sim.entries.length
  }

  /** What it learnt it does not write, but what it had to say to that at once. */
  private answered(member: Member, { verdict }: StoredRecord, from: number): void {
    for (const entry of member.sim.entries.slice(from)) {
      if (entry.kind !== 'record') continue
      const { node, claim } = entry.record.verdict
      if (node !== member.peer.node || claim <= verdict.claim) continue
      this.writes += 1
      member.unpublished.push(entry.record)
    }
  }

  /** Keys in the engine as all that reach it see them. */
  private announce(living: readonly Member[]): void {
    for (const member of living) {
      const { sim } = member
      if (member.engine) member.seenAt = sim.now
      const island = sim.now - member.seenAt >= KEY_MS / 2
      if (island !== sim.node.views.health.island) {
        sim.node.fare({ stale: false, island }, sim.now)
        if (!island) sim.node.adoption.live(this.held(sim.now), sim.now)
      }
    }
    const keys = this.held(this.now)
    const names = keys.map(({ node }) => node).join(' ')
    if (names === this.keys) return
    this.keys = names
    for (const { sim, engine } of living) if (engine) sim.node.adoption.live(keys, sim.now)
  }

  private held(now: number): PeerNode[] {
    return this.members.filter(({ seenAt }) => now - seenAt < KEY_MS).map(({ peer }) => peer)
  }
}

function create(name: string, node: string, options: SimulationOptions): Member {
  const sim = new Simulation({ nodeId: node, ...options })
  sim.node.directory.joined = true
  const peer = { node, name, address: `${name}:7400`, version: '0' }
  return {
    sim,
    peer,
    alive: true,
    engine: true,
    seenAt: sim.now,
    read: 0,
    heard: 0,
    unpublished: [],
  }
}

function pair(one: Member, other: Member): string {
  const [a, b] = [one.peer.node, other.peer.node]
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
