/** The operators' commands, each against a real server. */
import { killCommands, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { EventsResponse, Explanation, View } from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEvents, openStream } from './subscribers.js'

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let node: ServerProcess

beforeAll(async () => {
  node = await startServerProcess()
})

afterAll(killCommands)

async function rollcall(...args: readonly string[]): Promise<Outcome> {
  const command = startCommand(args, { env: { ROLLCALL_REGISTRY: node.url, USER: 'ann' } })
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

async function register(service: string, ...ids: string[]): Promise<void> {
  const instances = ids.map((id) => ({ service, id, host: '127.0.0.9', port: 4000, liveness: 'static' }))
  await fetch(`${node.url}/api/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  })
}

async function states(service: string): Promise<Record<string, string>> {
  const view = (await (await fetch(`${node.url}/api/v1/services/${service}`)).json()) as View
  return Object.fromEntries(view.instances.map(({ id, state }) => [id, state]))
}

describe('drain, disable, enable', () => {
  it('change what consumers see, and say so', async () => {
    await register('orders', 'a', 'b')
    expect(await rollcall('drain', 'orders', 'a', '--why', 'disk work', '--for', '1h')).toEqual({
      code: 0,
      stdout: 'orders/default a is draining\n',
      stderr: '',
    })
    expect((await rollcall('disable', 'orders', 'b')).stdout).toBe('orders/default b is disabled\n')
    expect(await states('orders')).toEqual({ a: 'draining', b: 'disabled' })
    const listed = await rollcall('instances', 'orders')
    expect(listed.stdout).toMatch(/a +127\.0\.0\.9:4000 +draining +\S+ +100 +disk work/)
    expect((await rollcall('enable', 'orders', 'a')).stdout).toBe('orders/default a is up\n')
    expect((await rollcall('enable', 'orders', 'b')).code).toBe(0)
    expect(await states('orders')).toEqual({ a: 'up', b: 'up' })
    expect(await rollcall('drain', 'orders', 'absent')).toMatchObject({ code: 1 })
  })

  it('drain --wait changes nothing of an earlier drain', async () => {
    await register('drained', 'a')
    await rollcall('drain', 'drained', 'a', '--why', 'disk work', '--for', '1h', '--by', 'bob')
    const override = async () => {
      const { stdout } = await rollcall('explain', 'drained', 'a', '--json')
      return (JSON.parse(stdout) as Explanation).override
    }
    const before = await override()
    const again = await rollcall('drain', 'drained', 'a', '--wait')
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('safe to stop') as string })
    expect(again.stderr).toMatch(/^It was drained before: drain for another \S+ by bob \(disk work\)\./)
    expect(await override()).toMatchObject({
      drain: true,
      by: 'bob',
      why: 'disk work',
      durationMs: 3_600_000,
      counter: before?.counter,
    })
    await rollcall('drain', 'drained', 'a', '--why', 'memory')
    const after = await override()
    expect(after).toMatchObject({ drain: true, by: 'ann', why: 'memory' })
    expect(after?.remainingMs).toBeGreaterThan(3_500_000)
  })

  it('drain --wait ends when every subscriber has acknowledged, not before', async () => {
    await register('waited', 'a')
    const stream = await openStream(node)
    const events = await openEvents(node, 'service=waited')
    await stream.ask({ type: 'watch', services: [{ service: 'waited' }] })
    const drained = startCommand(['drain', 'waited', 'a', '--wait'], { env: { ROLLCALL_REGISTRY: node.url } })
    await drained.written(/is draining/)
    await expect.poll(() => drained.stderr()).toContain('Waiting for 1 of 2 subscribers.')
    const seqs = stream.messages.flatMap((message) => ('seq' in message ? [message.seq] : []))
    stream.ws.send(JSON.stringify({ type: 'ack', seq: Math.max(...seqs) }))
    expect((await drained.exited).code).toBe(0)
    expect(drained.stdout()).toMatch(/all 2 subscribers have heard after \d+\.\d s: safe to stop/)
    await rollcall('enable', 'waited', 'a')
    const late = await rollcall('drain', 'waited', 'a', '--wait', '--within', '500ms')
    expect(late).toMatchObject({ code: 3, stderr: expect.stringContaining('1 of 2 subscribers') as string })
    stream.drop()
    events.close()
  })
})

describe('freeze, unfreeze', () => {
  it('stand where people look', async () => {
    await register('frosty', 'a')
    expect(await rollcall('freeze', '--why', 'switch work')).toMatchObject({
      code: 0,
      stdout: 'namespace default is frozen\n',
    })
    expect((await rollcall('instances', 'frosty')).stderr).toContain('An operator froze the namespace')
    const refused = await rollcall('deregister', '--host', '127.0.0.9', '--confirm')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('rollcall unfreeze') as string })
    expect((await rollcall('unfreeze')).stdout).toBe('the freeze of default has ended\n')
    expect((await rollcall('unfreeze')).code).toBe(1)
  })
})

describe('restore', () => {
  it('shows, then does', async () => {
    await register('mistaken', 'a', 'b')
    await rollcall('deregister', 'mistaken', 'a')
    await rollcall('deregister', 'mistaken', 'b')
    const shown = await rollcall('restore', 'mistaken', '--since', '10m')
    expect(shown).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('--yes to bring 2 instances back') as string,
    })
    expect(shown.stdout).toMatch(
      /^GROUP +ID +ADDRESS +WAS +AGO\ndefault +a +127\.0\.0\.9:4000 +deregistered +\d+s\n/,
    )
    expect(await states('mistaken')).toEqual({})
    expect(await rollcall('restore', 'mistaken', 'b', '--yes', '--why', 'wrong id')).toMatchObject({
      code: 0,
    })
    expect(await states('mistaken')).toEqual({ b: 'up' })
  })
})

describe('explain, events', () => {
  it('say why and what', async () => {
    await register('known', 'a')
    await rollcall('drain', 'known', 'a', '--why', 'reboot')
    const told = await rollcall('explain', 'known', 'a')
    expect(told.stdout).toMatch(
      /^a of known has been listed as draining for .*, because ann said so: reboot\./,
    )
    const { override } = JSON.parse((await rollcall('explain', 'known', 'a', '--json')).stdout) as Explanation
    expect(override).toMatchObject({ drain: true, by: 'ann', why: 'reboot' })
    const log = await rollcall('events', '--service', 'known')
    expect(log.stdout).toMatch(
      /registered .*\n.*override_set +known\/default +a +up → draining +\(drain\) +by ann/,
    )
    expect(await rollcall('explain', 'known', 'absent')).toMatchObject({ code: 1 })
    expect(await rollcall('events', '--kind', 'nonsense')).toMatchObject({ code: 2 })
  })

  it('events --follow goes on with what happens, also through a restart, until it is interrupted', async () => {
    const own = await startServerProcess()
    const followed = startCommand(['events', '--follow', '--json'], { env: { ROLLCALL_REGISTRY: own.url } })
    const put = (url: string, service: string): Promise<unknown> =>
      fetch(`${url}/api/v1/services/${service}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    const kinds = (): (string | undefined)[] =>
      followed
        .stdout()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as EventsResponse['events'][number]).service)
    await put(own.url, 'before')
    await expect.poll(kinds).toEqual(['before'])
    await own.kill()
    await followed.written(/No registry answers/)
    const again = await startServerProcess({ listen: `${own.host}:${own.port}` })
    await put(again.url, 'after')
    await expect.poll(kinds).toEqual(['before', 'after'])
    expect(await followed.stop('SIGINT')).toMatchObject({ code: 0 })
    await again.kill()
  })
})
