/** Signals to a node that are neither a stop nor a kill. */
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterEach, expect, it } from 'vitest'

afterEach(killServerProcesses)

it('SIGUSR1 does not let every user of the machine debug the node', async () => {
  const server = await startServerProcess()
  process.kill(server.pid, 'SIGUSR1')
  await expect.poll(() => server.stdout()).toContain('SIGUSR1 means nothing to a node')
  expect(server.stderr()).not.toContain('Debugger')
  expect((await fetch(`${server.url}/livez`)).status).toBe(200)
})
