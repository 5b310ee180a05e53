/** The SDK against nodes that mean harm: it never dies of them, stays within its bounds, and comes back. */
import { once } from 'node:events'
import { afterAll, describe, expect, it } from 'vitest'
import { type HostileNode, startFlood, startHostileNode } from './support/hostile-node.js'
import { type Child, end, endAll, freePort, start, until } from './support/processes.js'

/** Connections a hostile node has before an honest one takes over. */
const CONNECTIONS = 150
const SEEDS = [1, 2, 3]
/** For machines that do much else at the same time. */
const TIMEOUT_MS = 240_000

afterAll(endAll)

interface Report {
  readonly state?: string
  readonly lists?: readonly { readonly length: number; readonly first?: string }[]
}

const lengthOf = ({ lists }: Report): number => lists?.[0]?.length ?? 0

const isAlive = ({ process: { exitCode, signalCode } }: Child): boolean =>
  exitCode === null && signalCode === null

async function startVictim(port: number, heapMiB: number): Promise<{ child: Child; last: () => Report }> {
  const child = await start(
    { script: 'hostile-victim.mjs', command: ['env', `NODE_OPTIONS=--max-old-space-size=${heapMiB}`] },
    `http://127.0.0.1:${port}`,
  )
  let last: Report = {}
  child.process.on('message', (report: Report) => (last = report))
  let output = ''
  child.process.stderr?.on('data', (data: Buffer) => (output += data.toString()))
  child.process.once('exit', (code) => {
    if (code !== 0) process.stderr.write(output)
  })
  return { child, last: () => last }
}

/** An honest node takes over the port: the victim is registered there, its lists are true. Resolves to its exit code. */
async function recovers(
  port: number,
  { child, last }: Awaited<ReturnType<typeof startVictim>>,
): Promise<unknown> {
  const registry = await start('registry-child.mjs', `127.0.0.1:${port}`)
  await until(
    () => {
      if (!isAlive(child))
        throw new Error(`the victim ended with ${child.process.exitCode ?? child.process.signalCode}`)
      const { state, lists } = last()
      const lengths = lists?.map(({ length }) => length).join()
      return state === 'up' && lengths === '1,0,0,0' && lists?.[0]?.first === 'v'
    },
    `the victim finds its way back: ${JSON.stringify(last())}`,
    120_000,
  )
  const ended = once(child.process, 'exit')
  child.process.send('close')
  const [code] = (await ended) as [number | null]
  await end(registry, 'SIGTERM')
  return code
}

async function survives(victim: Child, node: HostileNode, connections: number): Promise<void> {
  await until(
    () => {
      if (!isAlive(victim))
        throw new Error(`the victim ended with ${victim.process.exitCode ?? victim.process.signalCode}`)
      return node.connections() >= connections
    },
    `${connections} connections`,
    120_000,
  )
}

describe('a hostile node', { timeout: TIMEOUT_MS }, () => {
  it.each(SEEDS)(
    'with seed %d kills no client, and an honest one finds everything in order',
    async (seed) => {
      const port = await freePort()
      const node = await startHostileNode(port, seed)
      const victim = await startVictim(port, 256)
      await survives(victim.child, node, CONNECTIONS)
      expect(node.attacks.size).toBeGreaterThan(10)
      await node.close()
      expect(await recovers(port, victim)).toBe(0)
    },
  )

  it('with a list that never ends fills no memory', async () => {
    const port = await freePort()
    const node = await startFlood(port, 'endless list')
    const victim = await startVictim(port, 256)
    await until(() => node.attacks.has('all sent') || !isAlive(victim.child), 'all of it', 120_000)
    // Each instance counts ten thousand characters, of 67 million.
    await until(() => lengthOf(victim.last()) > 5_000 || !isAlive(victim.child), 'a long list', 60_000)
    expect(lengthOf(victim.last())).toBeLessThan(7_000)
    await node.close()
    expect(await recovers(port, victim)).toBe(0)
  })

  it('with a message that unpacks beyond all bounds is left', async () => {
    const port = await freePort()
    const node = await startFlood(port, 'bomb')
    const victim = await startVictim(port, 256)
    await survives(victim.child, node, 3)
    await node.close()
    expect(await recovers(port, victim)).toBe(0)
  })
})
