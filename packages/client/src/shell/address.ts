/** The own address, where a registration names no host. */
import { createSocket } from 'node:dgram'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { parseAddress, RegistryError } from '@rollcall/wire'
import { asked } from '../machine/asked.js'
import type { Clock } from '../machine/ports.js'
import type { AddressOptions } from '../api.js'

/** The address that was picked, and why. */
export interface OwnAddress {
  readonly host: string
  readonly how: 'explicit' | 'preferred' | 'connection' | 'route' | 'interface' | 'loopback'
}

/** What the search looks at; tests replace it. */
export interface AddressSources {
  /** Addresses of this host that others may reach. */
  interfaces(): readonly string[]
  /** Local address that the kernel would use towards a host; sends nothing. */
  route(host: string, port: number): Promise<string | undefined>
}

/** A name server that is away must not hold up a registration for longer than this. */
const ROUTE_TIMEOUT_MS = 1_000

/** `registries` are stream URLs of one cluster. Explicit host > preferred network > the interface that reaches the registry > any interface > loopback. */
export async function findOwnAddress(
  options: AddressOptions,
  connection: string | undefined,
  registries: readonly string[],
  sources: AddressSources,
): Promise<OwnAddress> {
  if (options.host !== undefined) return { host: options.host, how: 'explicit' }
  const addresses = sources.interfaces()
  for (const cidr of options.prefer ?? []) {
    const list = blockOf(cidr)
    const host = addresses.find((address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'))
    if (host !== undefined) return { host, how: 'preferred' }
  }
  if (connection !== undefined) return { host: connection, how: 'connection' }
  // All at once: a name that does not resolve costs its time once, and is not waited for behind one that works.
  const routes = registries.map((registry) => {
    const { hostname, port, protocol } = new URL(registry)
    const fallback = protocol === 'wss:' ? 443 : 80
    return sources.route(hostname.replace(/^\[|\]$/g, ''), port === '' ? fallback : Number(port))
  })
  for (const route of routes) {
    const host = await route
    if (host !== undefined) return { host, how: 'route' }
  }
  const host = addresses.find((address) => isIP(address) === 4) ?? addresses[0]
  return host === undefined ? { host: '127.0.0.1', how: 'loopback' } : { host, how: 'interface' }
}

/** Reads a CIDR block; throws `invalid_argument`. */
export function blockOf(cidr: string): BlockList {
  const [network = '', bits = ''] = cidr.split('/')
  const family = isIP(network)
  const prefix = Number(bits)
  if (family === 0 || !/^\d+$/.test(bits) || prefix > (family === 6 ? 128 : 32)) {
    throw new RegistryError('invalid_argument', `${cidr} is not a CIDR block`, { field: 'address.prefer' })
  }
  const list = new BlockList()
  list.addSubnet(network, prefix, family === 6 ? 'ipv6' : 'ipv4')
  return list
}

/** Whether only this host can reach an address. */
export function isLoopback(host: string): boolean {
  const address = parseAddress(host)
  if (address === undefined) return host === 'localhost'
  return address.length === 4
    ? address[0] === 127
    : address.every((byte, index) => byte === (index === 15 ? 1 : 0))
}

/** The interfaces and the routing table of this host. */
export function createSystemAddresses(clock: Clock): AddressSources {
  return {
    interfaces() {
      const all = Object.values(asked(networkInterfaces) ?? {}).flatMap((list) => list ?? [])
      return all
        .filter((item) => !item.internal && !item.address.startsWith('fe80'))
        .map((item) => item.address)
    },
    route(host, port) {
      return new Promise((resolve) => {
        // Connecting a datagram socket asks the routing table and sends nothing.
        const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
        const end = (address: string | undefined): void => {
          cancel()
          socket.removeAllListeners('error')
          socket.on('error', () => undefined)
          socket.close()
          resolve(address)
        }
        const cancel = clock.setTimer(ROUTE_TIMEOUT_MS, () => end(undefined))
        socket.once('error', () => end(undefined))
        // It calls back in either case, and then the address is that of no route: 0.0.0.0.
        socket.connect(port, host, (error?: Error) => end(error ? undefined : socket.address().address))
      })
    },
  }
}
