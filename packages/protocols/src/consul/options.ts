/** Settings of the Consul adapter, each with its default and the reason for it. */
/** What may be set; everything has a default. */
export interface ConsulOptions {
  /** Host names, beside addresses and `localhost`, under which clients may call the node. Default none. */
  readonly allowedHosts?: readonly string[]
  /** Name of the datacenter, the only one. Default `dc1`, as Consul's own. */
  readonly datacenter?: string
  /** Name of the one node that all of the registry looks like. Default `rollcall`. */
  readonly nodeName?: string
  /** Largest body of a registration. Default 256 KiB: what is kept of one is 16 KiB. */
  readonly bodyBytesMax?: number
  /** How long a client may take nothing of an answer. Default 60,000. */
  readonly stalledMsMax?: number
  /** Longest wait of a blocking query. Default 600,000, Consul's own. */
  readonly waitMsMax?: number
  /** Wait of a blocking query that names none. Default 300,000, Consul's own. */
  readonly waitMs?: number
  /** Keys of the store. Default 1,000: Traefik and Fabio have a handful; the registry keeps 1,024. */
  readonly kvKeysMax?: number
  /** Bytes of keys and values together. Default 4 MiB. */
  readonly kvBytesMax?: number
  /** Bytes of one value. Default 64 KiB; Consul takes 512. */
  readonly kvValueBytesMax?: number
}

/** The settings with every default filled in. */
export function resolveOptions(options: ConsulOptions): Required<ConsulOptions> {
  return {
    allowedHosts: [],
    datacenter: 'dc1',
    nodeName: 'rollcall',
    bodyBytesMax: 262_144,
    stalledMsMax: 60_000,
    waitMsMax: 600_000,
    waitMs: 300_000,
    kvKeysMax: 1_000,
    kvBytesMax: 4_194_304,
    kvValueBytesMax: 65_536,
    ...options,
  }
}
