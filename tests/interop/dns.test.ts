/** The recipes of docs/guide/dns.md as they stand there, with Debian's HAProxy, nginx and dnsmasq in front of real services. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Resolver } from 'node:dns/promises'
import { join } from 'node:path'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../integration/support/processes.js'
import { endGuests, findGuest, type Guest, guestFolder, startGuest } from './support/guests.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  await endGuests()
  for (const step of cleanUp.splice(0).reverse()) await step()
})

const recipe = (file: string): string => readFileSync(`packaging/dns/${file}`, 'utf8')

/** A registry with DNS at a port. */
async function serve(port: number): Promise<EmbeddedNode> {
  const node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    logLevel: 'error',
    dns: `127.0.0.1:${port}`,
  })
  cleanUp.push(() => node.close())
  return node
}

async function post(node: EmbeddedNode, path: string, instances: readonly object[]): Promise<void> {
  const answer = await fetch(`${node.url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  })
  expect(answer.status).toBe(200)
}

/** A process of the service, which answers with its address. */
async function provide(host: string, port = 0): Promise<number> {
  const server = createServer((_request, response) => response.end(host))
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  cleanUp.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const instance = (host: string, port: number, weight = 100): object => ({
  service: 'orders',
  id: host,
  host,
  port,
  weight,
  liveness: 'static',
})

/** What so many calls at a port are answered, and how often; what fails counts as such. */
async function calls(port: number, count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let call = 0; call < count; call++) {
    const said = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5_000),
    }).then(
      async (answer) => (answer.ok ? answer.text() : String(answer.status)),
      () => 'none',
    )
    counts[said] = (counts[said] ?? 0) + 1
  }
  return counts
}

const answered = async (port: number): Promise<string[]> => Object.keys(await calls(port, 10)).sort()

/** Starts dnsmasq as in the recipe, in front of a node; gives its port. */
async function startDnsmasq(guest: Guest, nodePort: number): Promise<number> {
  const port = await freePort()
  const text = recipe('dnsmasq.conf')
    .replace('port=5353', `port=${port}`)
    .replace('127.0.0.1#8600', `127.0.0.1#${nodePort}`)
  const folder = guestFolder({ 'dnsmasq.conf': text })
  const own = process.getuid?.() === 0 ? ['--user=root'] : []
  startGuest(guest, [
    '--keep-in-foreground',
    '--pid-file=',
    '--log-facility=-',
    ...own,
    `--conf-file=${join(folder, 'dnsmasq.conf')}`,
  ])
  return port
}

describe('HAProxy', () => {
  it('finds instances with their ports and weights, and keeps them while no node answers', async (context) => {
    const haproxy = await findGuest(context, 'haproxy')
    const [dnsPort, port] = [await freePort(), await freePort()]
    const node = await serve(dnsPort)
    const one = await provide('127.0.0.2')
    await post(node, 'register', [
      instance('127.0.0.2', one, 2_560),
      instance('127.0.0.3', await provide('127.0.0.3'), 256),
    ])
    const text = recipe('haproxy.cfg')
      .replace('127.0.0.1:8600', `127.0.0.1:${dnsPort}`)
      .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
    const defaults =
      'defaults\n    mode http\n    timeout connect 2s\n    timeout client 10s\n    timeout server 10s\n'
    startGuest(haproxy, ['-f', join(guestFolder({ 'haproxy.cfg': `${defaults}\n${text}` }), 'haproxy.cfg')])
    await expect.poll(() => answered(port), { interval: 500 }).toEqual(['127.0.0.2', '127.0.0.3'])
    // 2,560 and 256 are 11 and 2 to HAProxy, which counts in steps of 256 and adds one.
    const counts = await calls(port, 130)
    expect(counts['127.0.0.2']).toBeGreaterThan(95)
    expect(counts['127.0.0.3']).toBeGreaterThan(10)
    await post(node, 'deregister', [{ service: 'orders', id: '127.0.0.2' }])
    await expect.poll(() => answered(port), { interval: 500 }).toEqual(['127.0.0.3'])
    await post(node, 'register', [instance('127.0.0.2', one, 2_560)])
    await expect.poll(() => answered(port), { interval: 500 }).toEqual(['127.0.0.2', '127.0.0.3'])
    await node.close()
    // Without the lines about what is known it would have given up by then.
    await new Promise((resolve) => setTimeout(resolve, 40_000))
    expect(await answered(port)).toEqual(['127.0.0.2', '127.0.0.3'])
  })
})

describe('dnsmasq', () => {
  it('forwards the zone, over TCP too, and goes on from memory while no node answers', async (context) => {
    const dnsmasq = await findGuest(context, 'dnsmasq')
    const dnsPort = await freePort()
    const node = await serve(dnsPort)
    const port = await startDnsmasq(dnsmasq, dnsPort)
    const many = Array.from({ length: 300 }, (_, n) => ({
      ...instance(`10.0.${n >> 8}.${n & 255}`, 80),
      service: 'many',
    }))
    await post(node, 'register', [instance('10.1.0.1', 80), ...many])
    const resolver = new Resolver({ timeout: 1_000, tries: 2 })
    resolver.setServers([`127.0.0.1:${port}`])
    const orders = (): Promise<unknown> =>
      resolver.resolve4('orders.service.rollcall').catch(({ code }: NodeJS.ErrnoException) => code)
    await expect.poll(orders).toEqual(['10.1.0.1'])
    expect(await resolver.resolveSrv('_orders._tcp.service.rollcall')).toEqual([
      { name: '0a010001.addr.rollcall', port: 80, priority: 0, weight: 100 },
    ])
    expect(await resolver.resolve4('many.service.rollcall')).toHaveLength(300)
    await expect(resolver.resolve4('none.service.rollcall')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolve6('orders.service.rollcall')).rejects.toMatchObject({ code: 'ENODATA' })
    await post(node, 'register', [instance('10.1.0.2', 80)])
    const sorted = async (): Promise<string> => [await orders()].flat().map(String).sort().join(' ')
    await expect.poll(sorted).toBe('10.1.0.1 10.1.0.2')
    await node.close()
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(await sorted()).toBe('10.1.0.1 10.1.0.2')
  })
})

describe('nginx', () => {
  it('finds instances by address through dnsmasq, and keeps them while no node answers', async (context) => {
    const [nginx, dnsmasq] = [await findGuest(context, 'nginx'), await findGuest(context, 'dnsmasq')]
    const [dnsPort, port] = [await freePort(), await freePort()]
    const node = await serve(dnsPort)
    const between = await startDnsmasq(dnsmasq, dnsPort)
    const service = await provide('127.0.0.2')
    await provide('127.0.0.3', service)
    await post(node, 'register', [instance('127.0.0.2', service), instance('127.0.0.3', service)])
    const text = recipe('nginx.conf')
      .replace('127.0.0.1:5353', `127.0.0.1:${between}`)
      .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
      .replace('$orders:8080', `$orders:${service}`)
    const folder = guestFolder({})
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (what) => `${what}_temp_path ${folder}/${what};`,
    )
    const whole = `daemon off;\npid ${folder}/nginx.pid;\nevents {}\nhttp {\naccess_log off;\n${paths.join('\n')}\n${text}\n}\n`
    const own = guestFolder({ 'nginx.conf': whole })
    startGuest(nginx, ['-p', own, '-e', 'stderr', '-c', join(own, 'nginx.conf')])
    await expect.poll(() => answered(port), { interval: 500 }).toEqual(['127.0.0.2', '127.0.0.3'])
    await post(node, 'deregister', [{ service: 'orders', id: '127.0.0.2' }])
    await expect.poll(() => answered(port), { interval: 500 }).toEqual(['127.0.0.3'])
    await node.close()
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    expect(await answered(port)).toEqual(['127.0.0.3'])
  })
})

it.each(['haproxy.cfg', 'nginx.conf', 'dnsmasq.conf'])('the guide shows %s as it was run', (file) => {
  expect(readFileSync('docs/guide/dns.md', 'utf8')).toContain(recipe(file))
})
