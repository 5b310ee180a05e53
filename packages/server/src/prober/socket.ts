/** One probe of one address: the connection, what is said on it, and its answer. */
import type { Duplex } from 'node:stream'
import type { ProbeOutcome } from '@rollcall/core'

/** What one probe of one address came to. */
export interface ProbeAnswer {
  readonly outcome: ProbeOutcome
  /** Why it did not succeed, in a few words for people: `status 503`, `ECONNRESET`. */
  readonly cause?: string
}

/** Where a connection goes and how. */
export interface ProbeTarget {
  /** Numeric address, the one that the address rule allowed. */
  readonly host: string
  readonly port: number
  readonly tls?: {
    /** Absent for an address: TLS has no way to name one. The certificate is then held against `host`. */
    readonly servername?: string
    readonly rejectUnauthorized: boolean
    readonly ALPNProtocols: string[]
  }
}

/** What a probe needs of a socket; `node:net` and `node:tls` have it. */
export interface ProbeSocket extends Duplex {
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}

/** Begins to connect to a numeric address. Emits `connect`, and over TLS `secureConnect` after it. */
export type Connect = (target: ProbeTarget) => ProbeSocket

/**
 * Asks over a connected socket and calls `end` once, at once or later. The returned function releases what it
 * holds beside the socket; `end` must not be called any more after it.
 */
export type ProbeConversation = (socket: ProbeSocket, end: (answer: ProbeAnswer) => void) => () => void

/** Troubles of this node, not of the instance. */
const OWN_TROUBLES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])

/**
 * Connects, holds the conversation and answers once. `refused` = the kernel on the other side says that
 * no process listens; `unable` = this node is out of sockets. The socket is destroyed before the answer; the
 * returned function gives up without one.
 */
export function ask(
  connect: Connect,
  target: ProbeTarget,
  converse: ProbeConversation,
  callback: (answer: ProbeAnswer) => void,
): () => void {
  let socket: ProbeSocket | undefined
  let release = (): void => {}
  let over = false

  function stop(): void {
    over = true
    release()
    socket?.destroy()
  }
  function end(answer: ProbeAnswer): void {
    if (over) return
    stop()
    callback(answer)
  }
  function begin(connected: ProbeSocket): void {
    if (over) return
    safely(() => {
      release = converse(connected, end)
    })
    if (over) release()
  }
  /** A mistake of ours, or a field that Node does not take, ends this probe and not the node. */
  function safely(step: () => void): void {
    try {
      step()
    } catch (error) {
      end({ outcome: 'failed', cause: error instanceof Error ? causeOf(error) : 'unknown' })
    }
  }

  safely(() => {
    const opened = connect(target)
    socket = opened
    opened.on('connect', () => {
      if (isSelfConnection(opened)) end({ outcome: 'refused', cause: 'connected to itself' })
      else if (target.tls === undefined) begin(opened)
    })
    if (target.tls !== undefined) opened.on('secureConnect', () => begin(opened))
    // The listeners stay: an error after the answer must not crash the node.
    opened.on('error', (error) => end(answerTo(error)))
    opened.on('close', () => end({ outcome: 'failed', cause: 'closed' }))
  })
  return stop
}

function answerTo(error: Error): ProbeAnswer {
  const cause = causeOf(error)
  if (cause === 'ECONNREFUSED') return { outcome: 'refused', cause }
  return { outcome: OWN_TROUBLES.has(cause) ? 'unable' : 'failed', cause }
}

/** An error as a cause: its code where it has one. */
export function causeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}

/**
 * No process listens on a port of the ephemeral range of this machine, the kernel picks that very port for the
 * outgoing connection, and TCP's simultaneous open connects the socket to itself. Such an instance is dead.
 */
function isSelfConnection(socket: ProbeSocket): boolean {
  return (
    socket.localPort !== undefined &&
    socket.localPort === socket.remotePort &&
    socket.localAddress === socket.remoteAddress
  )
}
