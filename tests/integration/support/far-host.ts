/**
 * Another host, made of a network namespace behind a pair of virtual cables, so that its silence is that of a real
 * one: packets leave and are never taken, no error comes back, connections stay half open. Linux and root only.
 */
import { spawnSync } from 'node:child_process'

/** A host that can be cut off. */
export interface FarHost {
  /** Name of its network namespace. */
  readonly name: string
  /** Address of this machine as the host sees it. */
  readonly here: string
  /** Address of the host. */
  readonly there: string
  /** What runs a program there: this command, then the program. */
  readonly command: readonly string[]
  /** From now on every packet in either direction is lost. */
  cut(): void
  heal(): void
  /** Takes the host away, with everything that still runs there cut off. */
  close(): void
}

/** An address that no network card here has: frames sent to it are lost. */
export const NO_CARD = '02:00:00:00:00:01'

let made = 0

/** Makes a host; throws with the reason where this is not possible. */
export function createFarHost(): FarHost {
  const name = `rc${process.pid}n${++made}`
  const [cable, end] = [`${name}a`, `${name}b`]
  // Of the block that is set aside for tests of network devices.
  const block = `198.18.${process.pid % 250}`
  const [here, there] = [`${block}.${4 * made + 1}`, `${block}.${4 * made + 2}`]
  const close = (): void => void spawnSync('ip', ['netns', 'delete', name])
  try {
    ip('netns', 'add', name)
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', end, 'netns', name)
    ip('address', 'add', `${here}/30`, 'dev', cable)
    ip('link', 'set', cable, 'up')
    ip('-n', name, 'address', 'add', `${there}/30`, 'dev', end)
    ip('-n', name, 'link', 'set', end, 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
  } catch (error) {
    close()
    throw error
  }
  return {
    name,
    here,
    there,
    command: ['ip', 'netns', 'exec', name],
    cut() {
      ip('neighbour', 'replace', there, 'lladdr', NO_CARD, 'nud', 'permanent', 'dev', cable)
      ip('-n', name, 'neighbour', 'replace', here, 'lladdr', NO_CARD, 'nud', 'permanent', 'dev', end)
    },
    heal() {
      ip('neighbour', 'delete', there, 'dev', cable)
      ip('-n', name, 'neighbour', 'delete', here, 'dev', end)
    },
    close,
  }
}

/** Why no host can be made; undefined where one can. */
export function farHostsMissing(): string | undefined {
  try {
    createFarHost().close()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Runs `ip`; throws with what it says. */
export function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`)
}
