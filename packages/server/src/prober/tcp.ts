/** The TCP probe. */
import type { ProbeMethod } from './method.js'

/** Succeeds on connect. The kernel of the other side accepts for a process that hangs, too. */
export const TCP_PROBE: ProbeMethod = {
  alpn: [],
  conversation: () => (_socket, end) => {
    end({ outcome: 'succeeded' })
    return () => {}
  },
}
