/** Bridges as processes between two nodes, one of which another registry's clients take for Eureka or Consul. */
import {
  killCommands,
  startCommand,
  startServerProcess,
  type CommandProcess,
  type ServerProcess,
} from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from './support/processes.js'

const KINDS = ['eureka', 'consul'] as const
type Kind = (typeof KINDS)[number]

let own: ServerProcess
let other: ServerProcess
let foreignPort: number

const urlOf = (kind: Kind): string => `http://127.0.0.1:${foreignPort}${kind === 'eureka' ? '/eureka' : ''}`

const startOther = async (kind: Kind): Promise<void> => {
  other = await startServerProcess({ args: ['--memory', `--${kind}`, `127.0.0.1:${foreignPort}`] })
}

async function register(node: ServerProcess, service: string, port: number): Promise<void> {
  const instances = [{ service, host: '10.0.0.5', port, liveness: 'static', metadata: { version: '1' } }]
  const answer = await fetch(`${node.url}/api/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  })
  expect(answer.status).toBe(200)
}

async function leave(node: ServerProcess, service: string, port: number): Promise<void> {
  const instances = [{ service, id: `10.0.0.5:${port}` }]
  await fetch(`${node.url}/api/v1/deregister`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  })
}

async function list(node: ServerProcess, service: string): Promise<View['instances']> {
  const answer = await fetch(`${node.url}/api/v1/services/${service}`)
  return answer.status === 404 ? [] : ((await answer.json()) as View).instances
}

/** Ports of the instances that may be called. */
const ports = async (node: ServerProcess, service: string): Promise<number[]> =>
  (await list(node, service)).filter(({ state }) => state === 'up').map(({ port }) => port)

/** One that was away is asked again within 20 s, and what it lacks is there a round later. */
const SEEN_MS_MAX = 45_000

const sees = (node: ServerProcess, service: string, expected: number[]): Promise<void> =>
  expect.poll(() => ports(node, service), { timeout: SEEN_MS_MAX }).toEqual(expected)

const bridge = (kind: Kind, ...more: string[]): CommandProcess =>
  startCommand(['bridge', kind, urlOf(kind), '--every', '300ms', ...more], {
    env: { ROLLCALL_REGISTRY: own.url },
  })

/** Several rounds of a bridge. */
const rounds = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2_000))

afterEach(killCommands)

describe.each(KINDS)('a bridge to %s', { timeout: 240_000 }, (kind) => {
  beforeEach(async () => {
    foreignPort = await freePort()
    own = await startServerProcess({ args: ['--memory'] })
    await startOther(kind)
    await register(other, 'orders', 1)
    await register(own, 'payments', 2)
  })

  it('mirrors both ways what comes and goes, and takes it out at its end', async () => {
    const process = bridge(kind)
    await sees(own, 'orders', [1])
    await sees(other, 'payments', [2])
    expect(await list(own, 'orders')).toMatchObject([{ metadata: { version: '1' }, port: 1 }])
    await register(other, 'stock', 3)
    await sees(own, 'stock', [3])
    await leave(other, 'stock', 3)
    await sees(own, 'stock', [])
    // Moved: at home in both, then here alone.
    await register(own, 'orders', 1)
    await expect.poll(async () => (await list(own, 'orders')).length, { timeout: SEEN_MS_MAX }).toBe(1)
    await process.written(/1 in both already/)
    expect((await process.stop()).code).toBe(0)
    expect(process.stdout()).toContain('ended, nothing is left')
    expect(await list(other, 'payments')).toEqual([])
    expect(await ports(own, 'orders')).toEqual([1])
  })

  it('goes on through the loss of either registry, and believes no empty one', async () => {
    const process = bridge(kind)
    await sees(own, 'orders', [1])
    await sees(other, 'payments', [2])
    await other.kill()
    await process.written(new RegExp(`${kind} is away`))
    await rounds()
    expect(await ports(own, 'orders')).toEqual([1])
    // Its memory is lost, and so is what was mirrored into it.
    await startOther(kind)
    await sees(other, 'payments', [2])
    await rounds()
    expect(await ports(own, 'orders')).toEqual([1])
    const { port } = own
    await own.kill()
    await process.written(/rollcall is away/)
    own = await startServerProcess({ args: ['--memory'], listen: `127.0.0.1:${port}` })
    await sees(own, 'orders', [1])
    expect(await ports(other, 'payments')).toEqual([2])
  })

  it('takes over after a kill, and two of them make no loop', async () => {
    const first = bridge(kind, '--name', 'one')
    await sees(own, 'orders', [1])
    await sees(other, 'payments', [2])
    const before = await list(own, 'orders')
    await first.kill()
    const next = bridge(kind, '--name', 'one')
    const second = bridge(kind, '--name', 'two')
    await next.written(/1 mirrored/)
    await second.written(/ -> /)
    await rounds()
    const after = await list(own, 'orders')
    expect(after.map(({ id, incarnation }) => [id, incarnation])).toEqual(
      before.map(({ id, incarnation }) => [id, incarnation]),
    )
    expect(await ports(other, 'payments')).toEqual([2])
    expect([await ports(own, 'payments'), await ports(other, 'orders')]).toEqual([[2], [1]])
    // The second one had nothing to do until now.
    await next.stop()
    await sees(own, 'orders', [1])
    await sees(other, 'payments', [2])
  })
})

describe('a bridge that cannot work', () => {
  it.each([
    [['bridge', 'eureka', 'nonsense'], 2, /not a URL such as http:\/\/127\.0\.0\.1:8761\/eureka/],
    [['bridge', 'consul', 'ftp://u:secret@h'], 2, /not a URL such as/],
    [
      ['bridge', 'eureka', 'URL'],
      1,
      /does not answer like Eureka; name the URL that clients have as defaultZone/,
    ],
    [['bridge', 'consul', 'URL'], 1, /does not answer like Consul/],
  ])('%j says why', async (args, code, words) => {
    own = await startServerProcess({ args: ['--memory'] })
    const process = startCommand(
      args.map((word) => (word === 'URL' ? own.url : word)),
      { env: { ROLLCALL_REGISTRY: own.url } },
    )
    expect(await process.exited).toMatchObject({ code })
    expect(process.stderr()).toMatch(words)
    expect(process.stderr()).not.toContain('secret')
  })
})
