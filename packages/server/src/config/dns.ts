/** The settings of DNS: where it is served, for which zone, how long answers are kept. And what contradicts itself among them. */
import { z } from 'zod'
import { isLoopbackHost, parseHostPort } from './address.js'
import { duration, integer, size, text } from './fields.js'
import type { DnsSettings } from './types.js'

/** Where DNS is served if nothing else is said: the port of Consul's, which clients without privileges can have. */
const LISTEN = '127.0.0.1:8600'

/** The group as it was read: without `listen` it is off. */
export type DnsGroup = Omit<DnsSettings, 'listen'> & { readonly listen?: string | undefined }

/** Labels of letters and digits, with dashes and underscores between, short enough to leave room for names in the zone. */
const DOMAIN =
  /^(?=.{1,100}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/

/** The group `dns`. Without `listen` it is off, and none of the others has a meaning. */
export const dnsGroup: z.ZodType<DnsGroup> = z
  .strictObject({
    listen: text(
      'HOST:PORT, with IPv6 in brackets',
      'Where services are told of by DNS, over UDP and TCP. Off by default. The flag alone, or `true`, means loopback and the port of Consul: 127.0.0.1:8600.',
      (value) => parseHostPort(value) !== undefined,
      { short: 'dns', bare: LISTEN },
    ).optional(),
    domain: text(
      'a domain such as rollcall or svc.example.com, of up to 100 characters',
      'The zone in which names end: orders.service.rollcall. What is asked for outside of it is refused, so that it is the one to forward.',
      (value) => DOMAIN.test(value),
    ).default('rollcall'),
    ttlMs: duration(
      0,
      86_400_000,
      'How long answers may be kept, in whole seconds; 0 = not at all. A process that was killed is called for this long after the registry knows.',
    ).default(1_000),
    udpBytesMax: size(
      512,
      4_096,
      'Largest datagram to a client that takes as much. The default passes all common networks in one piece; what is longer is truncated, and comes by TCP.',
    ).default(1_232),
    queriesPerSourceMax: integer(
      0,
      1_000_000,
      'Datagrams per second from one address (IPv6: /64) beyond this machine that are answered in full; the others are told to come by TCP, so that a forged sender gains nothing. 0 = all.',
    ).default(1_000),
    connectionsMax: integer(
      1,
      100_000,
      'Most open TCP connections of DNS clients, half of them for one address (IPv6: /64) beyond this machine. Where all are taken, the one that has asked nothing for the longest time makes room. They count in limits.connectionsMax too.',
    ).default(512),
  })
  .prefault({})

/** What DNS is told; undefined where it is off. */
export function dnsOf({ listen, ...others }: DnsGroup): DnsSettings | undefined {
  return listen === undefined ? undefined : { listen, ...others }
}

/** Tells what makes no sense together, each under the setting that is too much or too little. `given`: it is no default. */
export function judgeDns(
  dns: DnsGroup,
  { insecureListen }: { readonly insecureListen: boolean },
  given: (key: string) => boolean,
  report: (key: string, message: string) => void,
): void {
  if (dns.listen === undefined) {
    for (const name of Object.keys(dns))
      if (given(`dns.${name}`)) report(`dns.${name}`, 'is about DNS, and that is off: add --dns')
    return
  }
  const listen = parseHostPort(dns.listen)
  if (listen !== undefined && !isLoopbackHost(listen.host) && !insecureListen)
    report(
      'dns.listen',
      'is reachable from other machines, and callers are not authenticated yet; where the network is trusted, say so with --insecure-listen',
    )
}
