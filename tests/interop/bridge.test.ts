/**
 * A bridge between a node and Spring's own server of Eureka, each with an application of its own: they find and call each other
 * through it. It is killed and started again, a second one runs beside it, the server is killed and begins with nothing.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type CommandProcess,
  killCommands,
  killServerProcesses,
  type ServerProcess,
  startCommand,
  startServerProcess,
} from '@rollcall/testkit'
import type { Instance } from '@rollcall/wire'
import { afterEach, expect, it } from 'vitest'
import { measured } from '../integration/support/chaos-form.js'
import { without } from '../integration/support/guests/guest.js'
import { freePort, until } from '../integration/support/processes.js'
import { CLIENTS, endPrograms, obstacle, startProgram } from './support/clients.js'
import { endEurekaServers, EUREKA_SERVER, startEurekaServer } from './support/eureka-server.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  await killCommands()
  await endPrograms()
  await endEurekaServers()
  await killServerProcesses()
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** A bridge asks each second; a registry that was away is asked again within 20 s. */
const SEEN_MS_MAX = 30_000
const BACK_MS_MAX = 60_000

/** A service that is registered natively. */
async function provide(node: ServerProcess, service: string): Promise<number> {
  const server = createServer((_request, response) => response.end(service))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`${node.url}/api/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: [{ service, host: '127.0.0.1', port, liveness: 'static' }] }),
  })
  expect(answer.status).toBe(200)
  return port
}

async function list(node: ServerProcess, service: string): Promise<readonly Instance[]> {
  const answer = await fetch(`${node.url}/api/v1/services/${service}`)
  return answer.ok ? ((await answer.json()) as { readonly instances: readonly Instance[] }).instances : []
}

/** Several rounds of a bridge. */
const rounds = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 4_000))

it(`a bridge joins a node and ${EUREKA_SERVER.name}`, async (context) => {
  const [client] = CLIENTS
  for (const program of [EUREKA_SERVER, client]) {
    const reason = program === undefined ? 'there is no client' : await obstacle(program)
    if (reason !== undefined) without(context, reason)
  }
  if (client === undefined) return
  const port = await freePort()
  let eureka = await startEurekaServer(port)
  const node = await startServerProcess({ args: ['--memory'] })
  const nativePort = await provide(node, 'native')
  const app = await startProgram(client, { eureka: eureka.authority, consul: '' }, await freePort(), 'spring')
  const bridge = (name: string): CommandProcess =>
    startCommand(['bridge', 'eureka', `http://${eureka.authority}/eureka`, '--every', '1s', '--name', name], {
      env: { ROLLCALL_REGISTRY: node.url },
    })
  const natively = async (): Promise<string> =>
    (await list(node, client.name)).map((each) => `${each.port} ${each.state}`).join()
  const there = async (): Promise<string> =>
    (await eureka.listed('native')).map((each) => `${each.port.$} ${each.status}`).join()
  const isBothWays = async (): Promise<boolean> =>
    (await natively()) === `${app.port} up` && (await there()) === `${nativePort} UP`
  // Its lease is 3 s: on a busy machine it may lapse for a moment.
  const isAtHome = async (): Promise<boolean> =>
    (await eureka.listed(client.name)).map(({ status }) => status).join() === 'UP'

  const first = bridge('one')
  measured('bridge to Spring’s Eureka: seen on both sides', [
    await until(isBothWays, 'each registry lists what is at home in the other one', SEEN_MS_MAX),
  ])
  await until(
    async () => (await app.listed('native')).length === 1,
    'the application of Spring lists it',
    SEEN_MS_MAX,
  )
  expect(await app.ask('/call?service=native')).toBe('native')
  expect((await list(node, client.name))[0]?.metadata).toMatchObject({ name: 'spring', by: 'spring' })

  // Killed, and started again beside another one: nothing changes, nothing goes round in circles.
  const before = (await list(node, client.name)).map(({ id, incarnation }) => [id, incarnation])
  await first.kill()
  const [again, second] = [bridge('one'), bridge('two')]
  await again.written(/1 mirrored/)
  await second.written(/rollcall -> eureka/)
  await rounds()
  expect(await isBothWays()).toBe(true)
  expect((await list(node, client.name)).map(({ id, incarnation }) => [id, incarnation])).toEqual(before)
  expect(await list(node, 'native')).toHaveLength(1)
  await until(isAtHome, 'it lists its application once', SEEN_MS_MAX)

  // Away, and then there with nothing: what came from it stays, what went to it comes back.
  await eureka.kill()
  await again.written(/eureka is away/)
  await rounds()
  expect(await natively()).toBe(`${app.port} up`)
  eureka = await startEurekaServer(port)
  measured('bridge to Spring’s Eureka: both sides again after the server lost everything', [
    await until(isBothWays, 'both sides are as before', BACK_MS_MAX),
  ])

  // The end of one leaves it to the other; the end of both leaves nothing.
  expect((await again.stop()).code).toBe(0)
  await until(isBothWays, 'the second one fills in', SEEN_MS_MAX)
  expect((await second.stop()).code).toBe(0)
  expect(second.stdout()).toContain('ended, nothing is left')
  await until(async () => (await there()) === '', 'nothing mirrored is left in Eureka', SEEN_MS_MAX)
  expect([await natively(), (await list(node, 'native')).length]).toEqual(['', 1])
  await until(isAtHome, 'its application is where it was', SEEN_MS_MAX)
})
