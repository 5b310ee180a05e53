/** Settings of the links between nodes, each with its default and the reason for it. */

/** What may be set; everything has a default. */
export interface PeerOptions {
  /** Host names, beside addresses, under which peers may reach the node. Default none. */
  readonly allowedHosts?: readonly string[]
  /** How often each side says something. Default 1,000: a third of `silentMs`. */
  readonly pingMs?: number
  /** A peer that sends nothing for so long is gone. Default 3,000: two lost pings are a pause, three are not. */
  readonly silentMs?: number
  /** So long without an answer to any ping, and the peer does not hear us. Default 5,000: an answer waits for the peer's ping. */
  readonly unheardMs?: number
  /** How long a handshake may take. Default 3,000: it is three short messages. */
  readonly handshakeMs?: number
  /** Pause before a second attempt to dial; it doubles with each. Default 250. */
  readonly retryMsMin?: number
  /** Longest pause between attempts, up to half of it cut by chance. Default 5,000: a peer that is back is linked soon. */
  readonly retryMsMax?: number
  /** Largest frame that is read. Default 1 MiB; frames of ours are cut at `sliceBytes`, unless one entry is larger. */
  readonly frameBytesMax?: number
  /** About the size at which long messages are cut. Default 64 KiB: it is read in a millisecond or two. */
  readonly sliceBytes?: number
  /** Most bytes that wait for one peer; what comes then is not taken. Default 8 MiB. */
  readonly queueBytesMax?: number
  /** Unsent bytes of a socket beyond which nothing more is encoded for it. Default 256 KiB. */
  readonly bufferBytesMax?: number
  /** Bytes after which the reading or the writing of a link goes on in the next turn. Default 128 KiB. */
  readonly turnBytes?: number
  /** Bytes that have arrived and wait; more than that ends the link. Default 4 MiB: reading is paused long before. */
  readonly inboxBytesMax?: number
  /** Instances that a link has numbers for, in each direction; then numbering begins anew. Default 131,072. */
  readonly handlesMax?: number
  /** Questions under way on one link, in each direction. Default 256. */
  readonly questionsMax?: number
  /** Connections that have not proven anything yet; for one more the oldest must go. Default 16. */
  readonly strangersMax?: number
}

/** The settings with every default filled in. */
export type ResolvedPeerOptions = Required<PeerOptions>

const PEER_LINK_DEFAULTS: ResolvedPeerOptions = {
  allowedHosts: [],
  pingMs: 1_000,
  silentMs: 3_000,
  unheardMs: 5_000,
  handshakeMs: 3_000,
  retryMsMin: 250,
  retryMsMax: 5_000,
  frameBytesMax: 1_048_576,
  sliceBytes: 65_536,
  queueBytesMax: 8_388_608,
  bufferBytesMax: 262_144,
  turnBytes: 131_072,
  inboxBytesMax: 4_194_304,
  handlesMax: 131_072,
  questionsMax: 256,
  strangersMax: 16,
}

/** Fills in defaults. */
export function resolvePeerOptions(options: PeerOptions): ResolvedPeerOptions {
  return { ...PEER_LINK_DEFAULTS, ...options }
}
