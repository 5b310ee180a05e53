/** Settings of the Eureka adapter, each with its default and the reason for it. */
import { LIMITS } from '@rollcall/wire'

/** What may be set; everything has a default. */
export interface EurekaOptions {
  /** Host names, beside addresses and `localhost`, under which clients may call the node. Default none. */
  readonly allowedHosts?: readonly string[]
  /** Shortest and longest lease of the node: what a client asks for beyond is brought within. Default: the node's own. */
  readonly leaseMsMin?: number
  readonly leaseMsMax?: number
  /** Largest body of a registration. Default 64 KiB: four times what is kept of one. */
  readonly bodyBytesMax?: number
  /** How long a change is told by `apps/delta`. Default 180,000, as by Eureka's own server: six fetches of a client. */
  readonly deltaMs?: number
  /** How long a list is kept written out after it was fetched. Default 90,000: three fetches of a client. */
  readonly idleMs?: number
  /** How long a client may take nothing of an answer. Default 60,000: twice its interval, after which it asks anew. */
  readonly stalledMsMax?: number
}

/** The settings with every default filled in. */
export function resolveOptions(options: EurekaOptions): Required<EurekaOptions> {
  return {
    allowedHosts: [],
    leaseMsMin: LIMITS.leaseMsMin,
    leaseMsMax: LIMITS.leaseMsMax,
    bodyBytesMax: 65_536,
    deltaMs: 180_000,
    idleMs: 90_000,
    stalledMsMax: 60_000,
    ...options,
  }
}
