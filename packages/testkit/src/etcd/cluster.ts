/** Members of etcd on loopback, as a cluster that tests kill, pause, wipe and restore. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '../clock.js'
import { askMember, type EtcdCertificates } from './gateway.js'
import { createMember, type EtcdMember } from './member.js'
import { freePort } from '../ports.js'

export interface EtcdOptions {
  /** Path of the program: `etcdProgram()`. */
  readonly program: string
  /** Default 3. */
  readonly members?: number
  /** Clients must use TLS and have a certificate of the same authority. The certificate is one of `localhost`. */
  readonly tls?: EtcdCertificates
  /** A host for each member, without TLS. Default: all on loopback. */
  readonly places?: readonly EtcdPlace[]
  /** When the database is larger, nothing can be written any more. Default: etcd's own, 2 GiB. */
  readonly quotaBytes?: number
}

/** A host of its own for a member. */
export interface EtcdPlace {
  /** Where nodes and the other members reach it. */
  readonly address: string
  /** Where this process reaches it. */
  readonly control: string
  /** What runs a program there: this command, then the program. */
  readonly command: readonly string[]
}

/** Data of all members at one moment. */
export interface EtcdBackup {
  readonly folder: string
}

export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly EtcdMember[]
  /** Of all members, also of those that do not run. */
  readonly endpoints: readonly string[]
  leader(): Promise<EtcdMember>
  /** Resolves once every member that runs answers with a quorum. */
  ready(): Promise<void>
  killAll(): Promise<void>
  /** Starts those that do not run, and waits until they are ready. */
  startAll(): Promise<void>
  /** All members begin again with nothing. */
  wipe(): Promise<void>
  /** Copies what the members have on their disks, as if they had been killed at that moment. */
  backup(): Promise<EtcdBackup>
  /** All members begin again with what they had then. */
  restore(backup: EtcdBackup): Promise<void>
  /** POST to a member that runs; the answer as JSON. Rejects with what it says instead. */
  ask(path: string, body: unknown): Promise<unknown>
  /** Kills all and removes their data. Idempotent. */
  close(): Promise<void>
}

const LOOPBACK: EtcdPlace = { address: '127.0.0.1', control: '127.0.0.1', command: [] }

/** How often a cluster is tried with other ports. */
const TRIES = 5
/** Start and election on a busy machine. */
const READY_MS_MAX = 60_000
const READY_POLL_MS = 50

const clock = createSystemClock()

/** Starts members and resolves once they have a leader. */
export async function startEtcd(options: EtcdOptions): Promise<EtcdCluster> {
  for (let trial = 1; ; trial += 1) {
    const cluster = new Members(options, await ports(options.members ?? 3))
    try {
      await cluster.startAll()
      return cluster
    } catch (error) {
      await cluster.close()
      if (trial === TRIES || !/address already in use/.test(String(error))) throw error
    }
  }
}

/** Ports of one member. */
interface MemberPorts {
  readonly client: number
  readonly peer: number
}

async function ports(count: number): Promise<readonly MemberPorts[]> {
  const all: MemberPorts[] = []
  while (all.length < count) all.push({ client: await freePort(), peer: await freePort() })
  return all
}

class Members implements EtcdCluster {
  readonly members: readonly EtcdMember[]
  private readonly folder = mkdtempSync(join(tmpdir(), 'rollcall-etcd-'))
  private backups = 0

  constructor(options: EtcdOptions, memberPorts: readonly MemberPorts[]) {
    const { program, tls } = options
    mkdirSync(this.data)
    const places = options.places ?? memberPorts.map(() => LOOPBACK)
    const peers = memberPorts.map(({ peer }, index) => `http://${places[index]!.address}:${peer}`)
    const shared = [...this.sharedArgs(options), ...membership(peers)]
    this.members = memberPorts.map(({ client, peer }, index) => {
      const { address, control, command } = places[index]!
      const scheme = tls === undefined ? 'http' : 'https'
      const endpoint = `${scheme}://${tls === undefined ? address : 'localhost'}:${client}`
      const listen = address === control ? address : '0.0.0.0'
      const [first, ...words] = [...command, program]
      const own = [
        `--name=m${index}`,
        `--data-dir=${join(this.data, `m${index}`)}`,
        `--listen-client-urls=${scheme}://${listen}:${client}`,
        `--advertise-client-urls=${endpoint}`,
        `--listen-peer-urls=http://${listen}:${peer}`,
        `--initial-advertise-peer-urls=${peers[index]}`,
      ]
      const ask = (url: string, body?: unknown): ReturnType<typeof askMember> =>
        askMember(url.replace(endpoint, endpoint.replace(address, control)), body, tls)
      return createMember({ program: first, args: [...words, ...own, ...shared], endpoint, ask })
    })
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint)
  }

  async leader(): Promise<EtcdMember> {
    await this.ready()
    for (const member of this.running()) {
      const { body } = await member.ask('/v3/maintenance/status', {})
      const { leader, header } = JSON.parse(body) as { leader: string; header: { member_id: string } }
      if (leader === header.member_id) return member
    }
    return this.leader()
  }

  async ready(): Promise<void> {
    const end = clock.now() + READY_MS_MAX
    for (const member of this.running()) {
      while (!(await isHealthy(member))) {
        if (!member.isRunning) throw new Error(`etcd has ended: ${member.said()}`)
        if (clock.now() > end) throw new Error(`etcd is not ready: ${member.said()}`)
        await new Promise<void>((resolve) => clock.setTimer(READY_POLL_MS, resolve))
      }
    }
  }

  async killAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()))
  }

  async startAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()))
    await this.ready()
  }

  async wipe(): Promise<void> {
    await this.killAll()
    rmSync(this.data, { recursive: true })
    mkdirSync(this.data)
    await this.startAll()
  }

  async backup(): Promise<EtcdBackup> {
    this.backups += 1
    const folder = join(this.folder, `backup-${this.backups}`)
    // Stopped all at once, they have on their disks what a sudden end would have left there.
    for (const member of this.members) await member.pause()
    cpSync(this.data, folder, { recursive: true })
    for (const member of this.members) member.resume()
    return { folder }
  }

  async restore({ folder }: EtcdBackup): Promise<void> {
    await this.killAll()
    rmSync(this.data, { recursive: true })
    cpSync(folder, this.data, { recursive: true })
    await this.startAll()
  }

  async ask(path: string, body: unknown): Promise<unknown> {
    const [member] = this.running()
    if (member === undefined) throw new Error('no member of etcd runs')
    const answer = await member.ask(path, body)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`)
    return JSON.parse(answer.body)
  }

  async close(): Promise<void> {
    await this.killAll()
    rmSync(this.folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private get data(): string {
    return join(this.folder, 'data')
  }

  private running(): readonly EtcdMember[] {
    return this.members.filter(({ isRunning }) => isRunning)
  }

  private sharedArgs({ tls, quotaBytes }: EtcdOptions): readonly string[] {
    // Elections in a second, and yet not at each hiccup of a busy machine.
    const args = ['--logger=zap', '--log-level=warn', '--heartbeat-interval=100', '--election-timeout=1000']
    if (quotaBytes !== undefined) args.push(`--quota-backend-bytes=${quotaBytes}`)
    if (tls === undefined) return args
    for (const [name, text] of Object.entries(tls)) writeFileSync(join(this.folder, name), text)
    const file = (name: keyof EtcdCertificates): string => join(this.folder, name)
    return [
      ...args,
      `--cert-file=${file('cert')}`,
      `--key-file=${file('key')}`,
      `--trusted-ca-file=${file('ca')}`,
      '--client-cert-auth',
    ]
  }
}

function membership(peers: readonly string[]): readonly string[] {
  return [
    `--initial-cluster=${peers.map((url, index) => `m${index}=${url}`).join(',')}`,
    '--initial-cluster-state=new',
    '--initial-cluster-token=rollcall-test',
  ]
}

/** Whether a quorum answers through this member. That it is full is no reason. */
async function isHealthy(member: EtcdMember): Promise<boolean> {
  try {
    return (await member.ask('/health?exclude=NOSPACE')).status === 200
  } catch {
    return false
  }
}
