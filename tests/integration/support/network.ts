/**
 * Hosts on one network, each a namespace of the kernel with a cable to a switch, and ways between them on which packets are lost
 * without a word: no error comes back, connections stay half open. This process reaches every host by a cable of its own,
 * which is never cut. Linux and root only.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createFarHost, ip, NO_CARD, type FarHost } from './far-host.js'

export interface NetworkHost {
  readonly name: string
  /** Where the other hosts reach it. */
  readonly address: string
  /** Where this process reaches it, whatever is cut. */
  readonly control: string
  /** What runs a program there: this command, then the program. */
  readonly command: readonly string[]
}

export interface Way {
  readonly from: NetworkHost
  readonly to: NetworkHost
}

export interface TestNetwork {
  /** In the order of their names. */
  readonly hosts: readonly NetworkHost[]
  /** From now on what the first sends to the second is lost; what the second sends arrives. */
  lose(from: NetworkHost, to: NetworkHost): void
  /** From now on the two are lost to each other. */
  cut(one: NetworkHost, other: NetworkHost): void
  /** Everything arrives again. */
  heal(): void
  /** Ways on which what is sent is lost at present. */
  readonly lost: readonly Way[]
  close(): void
}

/** The cable of each host to the switch, as the host calls it. */
const WIRE = 'wire'

let made = 0

/** Makes hosts of these names; throws with the reason where this is not possible. */
export function createNetwork(...names: readonly string[]): TestNetwork {
  made += 1
  const hub = `rc${process.pid}s${made}`
  const far: FarHost[] = []
  const close = (): void => {
    for (const host of far) host.close()
    spawnSync('ip', ['netns', 'delete', hub])
  }
  try {
    ip('netns', 'add', hub)
    ip('-n', hub, 'link', 'add', 'name', 'switch', 'type', 'bridge')
    ip('-n', hub, 'link', 'set', 'switch', 'up')
    const hosts = names.map((name, index): NetworkHost => {
      const host = createFarHost()
      far.push(host)
      // The other half of the block that is set aside for tests of network devices.
      const address = `198.19.${process.pid % 250}.${index + 1}`
      const port = `port${index}`
      ip('-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', WIRE, 'netns', host.name)
      ip('-n', hub, 'link', 'set', port, 'master', 'switch', 'up')
      ip('-n', host.name, 'address', 'add', `${address}/24`, 'dev', WIRE)
      ip('-n', host.name, 'link', 'set', WIRE, 'up')
      return { name, address, control: host.there, command: host.command }
    })
    return new Network(hosts, far, close)
  } catch (error) {
    close()
    throw error
  }
}

/** Frames to a card that is not there are lost in the switch. */
class Network implements TestNetwork {
  readonly hosts: readonly NetworkHost[]
  readonly close: () => void
  private readonly far: readonly FarHost[]
  private ways: Way[] = []

  constructor(hosts: readonly NetworkHost[], far: readonly FarHost[], close: () => void) {
    this.hosts = hosts
    this.far = far
    this.close = close
  }

  get lost(): readonly Way[] {
    return this.ways
  }

  lose(from: NetworkHost, to: NetworkHost): void {
    this.neighbour({ from, to }, 'replace', 'lladdr', NO_CARD, 'nud', 'permanent')
    this.ways.push({ from, to })
  }

  cut(one: NetworkHost, other: NetworkHost): void {
    this.lose(one, other)
    this.lose(other, one)
  }

  heal(): void {
    for (const way of this.ways.splice(0)) this.neighbour(way, 'delete')
  }

  private neighbour({ from, to }: Way, verb: string, ...more: readonly string[]): void {
    const { name } = this.far[this.hosts.indexOf(from)]!
    ip('-n', name, 'neighbour', verb, to.address, ...more, 'dev', WIRE)
  }
}

/** Long enough for a connection on a busy machine. */
const CONNECT_MS = 3_000

/** Whether a connection from one host to a port of another one comes about. */
export function connects({ from, to }: Way, port: number): Promise<boolean> {
  const script = `const socket = require('node:net').connect(${port}, '${to.address}')
socket.once('connect', () => process.exit(0)).once('error', () => process.exit(1))
setTimeout(() => process.exit(1), ${CONNECT_MS})`
  const [first, ...words] = [...from.command, process.execPath, '-e', script]
  return new Promise((resolve, reject) => {
    spawn(first, words, { stdio: 'ignore' })
      .once('error', reject)
      .once('exit', (code) => resolve(code === 0))
  })
}

/** Why there can be no such network; undefined where there can. */
export function networksMissing(): string | undefined {
  try {
    createNetwork('a').close()
    return undefined
  } catch (error) {
    return `hosts are made by \`ip\` as root on Linux: ${(error as Error).message}`
  }
}
