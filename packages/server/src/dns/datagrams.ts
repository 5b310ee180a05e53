/** DNS over UDP: one socket, from which datagrams are answered as they come. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Logger, Meter } from '@rollcall/core'
import type { MessageAnswers } from './answers.js'
import type { HostPort } from '../config/address.js'

export interface DatagramsDeps {
  readonly dns: MessageAnswers
  readonly logger: Logger
  readonly meter: Meter
}

/** A socket for datagrams. */
export interface Datagrams {
  /** Rejects with the error of the system. */
  start(address: HostPort): Promise<void>
  /** What is being sent is still sent. Idempotent. */
  close(): void
}

/** Room for a burst while the loop is busy with something else. The system may grant less. */
const RECEIVE_BYTES = 4 * 1_048_576
/** Answers that the system has not taken; it takes them at once, unless the network stands still. */
const QUEUE_BYTES_MAX = 4 * 1_048_576

/** Creates the socket for an address of either family; one of IPv6 for any address takes both. */
export function createDatagrams({ dns, logger, meter }: DatagramsDeps): Datagrams {
  let socket: Socket | undefined
  let listening = false
  const drop = (): void => meter.count('rollcall_dns_dropped_total')

  const sent = (error: Error | null): void => {
    if (error !== null) drop()
  }

  function send(own: Socket, answer: Buffer | undefined, { address, port }: RemoteInfo): void {
    // It may have been closed since the query came.
    if (answer === undefined || own !== socket) return
    // Nothing listens on port 0: a forged sender.
    if (port === 0 || own.getSendQueueSize() > QUEUE_BYTES_MAX) drop()
    else own.send(answer, port, address, sent)
  }

  function serve(own: Socket): void {
    own.on('message', (message, from) => {
      const answer = dns.answer(message, 'udp', from.address)
      if (answer instanceof Promise) void answer.then((later) => send(own, later, from))
      else send(own, answer, from)
    })
  }

  return {
    start({ host, port }) {
      const family = isIPv6(host) ? 6 : 4
      const own = createSocket({
        type: `udp${family}`,
        recvBufferSize: RECEIVE_BYTES,
        // Senders have addresses, never names.
        lookup: (address, _options, callback) => callback(null, address, family),
      })
      socket = own
      serve(own)
      return new Promise((resolve, reject) => {
        own.on('error', (error) => {
          if (listening) logger.warn({ error }, 'the socket for DNS datagrams failed once')
          reject(error)
        })
        own.bind({ address: host, port }, () => {
          listening = true
          resolve()
        })
      })
    },
    close() {
      const own = socket
      socket = undefined
      try {
        own?.close()
      } catch {
        // It never opened.
      }
    },
  }
}
