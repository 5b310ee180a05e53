/** The shell of a real process: its streams, signals, network and clock. */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { hostname, userInfo } from 'node:os'
import { isatty, type WriteStream } from 'node:tty'
import { createSystemClock, type Clock } from './clock.js'
import { EXIT } from './exit-codes.js'
import { createSystemRandom } from './random.js'
import type { Shell, TextStream } from './shell.js'

/** A name server that is away must not hold up a command for longer. */
const ROUTE_MS = 1_000

/** The process this code runs in. */
export function createProcessShell(): Shell {
  const clock = createSystemClock()
  // `rollcall watch orders | head -1`: the reader closed the pipe.
  const out = streamOf(process.stdout, () => process.exit(EXIT.ok))
  return {
    out,
    err: streamOf(process.stderr, () => undefined),
    env: process.env,
    user: userName(),
    pid: process.pid,
    clock,
    random: createSystemRandom(),
    fetch: (url, init) => fetch(url, init),
    ownAddress: (host, port) => routeTo(clock, host, port),
    onSignal(signals, listener) {
      for (const signal of signals) process.on(signal, listener)
      return () => {
        for (const signal of signals) process.off(signal, listener)
      }
    },
  }
}

/** A container has neither `USER` nor an entry for each of its users. */
function userName(): string {
  const named = process.env['USER'] ?? process.env['LOGNAME'] ?? ''
  if (named !== '') return named
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'} of ${hostname()}`
  }
}

function streamOf(stream: NodeJS.WriteStream & { readonly fd: number }, readerGone: () => void): TextStream {
  // An error of the stream cannot be printed on it.
  stream.on('error', readerGone)
  return {
    write: (text) => void stream.write(text),
    get isTerminal() {
      return isatty(stream.fd)
    },
    get columns() {
      return (stream as Partial<WriteStream>).columns
    },
  }
}

/** Connecting a datagram socket asks the routing table and sends nothing. */
function routeTo(clock: Clock, host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const end = (address: string | undefined): void => {
      cancel()
      socket.removeAllListeners('error')
      socket.on('error', () => undefined)
      socket.close()
      resolve(address)
    }
    const cancel = clock.setTimer(ROUTE_MS, () => end(undefined))
    socket.once('error', () => end(undefined))
    // It calls back in either case, and then the address is that of no route: 0.0.0.0.
    socket.connect(port, host, (error?: Error) => end(error ? undefined : socket.address().address))
  })
}
