/** The shop of examples/, as its README starts it: what happens to it costs no order. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterEach, expect, it } from 'vitest'

interface Child extends ChildProcess {
  /** All it printed so far. */
  readonly text: () => string
}

const children: ChildProcess[] = []

/** Starts a file of the example and keeps what it prints. */
function start(registry: string, file: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(`../../examples/shop/dist/${file}.js`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...process.env, ROLLCALL_REGISTRY: registry },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return Object.assign(child, { text: () => text })
}

/** Resolves once the process has said that it is registered. */
async function startService(registry: string, name: string): Promise<Child> {
  const child = start(registry, name)
  while (!child.text().includes(' is up')) await said(child)
  return child
}

/** Resolves when the process has printed something more; rejects when it has ended. */
async function said(child: Child): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  await Promise.race([
    once(child.stdout ?? expect.fail(), 'data', { signal }),
    once(child, 'exit', { signal }),
  ])
  over.abort()
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended:\n${child.text()}`)
}

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await killServerProcesses()
})

it('places every order while processes are killed, told to stop, and without a registry', async () => {
  const registry = await startServerProcess()
  const names = ['inventory', 'inventory', 'payments', 'payments', 'orders', 'orders']
  const services = await Promise.all(names.map((name) => startService(registry.url, name)))
  const [inventory, , payments, , orders] = services
  const load = start(registry.url, 'load')
  await placing(load)

  payments?.kill('SIGKILL')
  await placing(load)
  orders?.kill('SIGTERM')
  expect(await once(orders ?? expect.fail(), 'exit')).toEqual([0, null])
  await placing(load)
  await registry.kill()
  await placing(load)
  inventory?.kill('SIGKILL')
  await placing(load)

  load.kill('SIGINT')
  const [code] = await once(load, 'exit')
  expect(load.text()).toMatch(/\d orders placed, 0 failed\n$/)
  expect(code).toBe(0)
})

/** Resolves when the load has told of more orders placed, twice: what it told first may have been before. */
async function placing(load: Child): Promise<void> {
  const placed = (): number => Number(/(\d+) orders placed, \d+ failed\n$/.exec(load.text())?.[1] ?? 0)
  for (let times = 0; times < 2; times += 1) {
    const before = placed()
    while (placed() <= before) await said(load)
  }
}
