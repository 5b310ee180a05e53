/** Messages as jobs of a link's queue: long ones in slices, each made when there is room for it. */
import type { HeardRef, Learnable, PeerMessage } from '@rollcall/core'
import { HEARD_REFS_MAX, LEARN_ENTRIES_MAX, writeFrame } from './codec.js'
import { learnableBytes } from './learnables.js'
import type { HandleGiver } from './mapping.js'
import type { Job } from './queue.js'
import type { LinkClock } from './sockets.js'

/** What a ref holds as long as it waits. */
const REF_BYTES = 64

type Heard = Extract<PeerMessage, { readonly type: 'heard' }>

/** Creates the job of a message. */
export function jobOf(
  message: PeerMessage,
  giver: HandleGiver,
  clock: Pick<LinkClock, 'now'>,
  options: { readonly sliceBytes: number; readonly frameBytesMax: number },
): Job {
  switch (message.type) {
    case 'heard':
      return heardJob(message, giver, clock)
    case 'unreachable':
      return unreachableJob(message.refs)
    case 'learn':
      return learnJob(message.entries, options)
    default: {
      let text: string | undefined = writeFrame(message)
      return {
        bytes: text.length,
        next: () => {
          const made = text
          text = undefined
          return made
        },
      }
    }
  }
}

/** Numbers are given when a frame is made, because frames are made in the order in which they travel. */
function heardJob({ agoMs, refs }: Heard, giver: HandleGiver, clock: Pick<LinkClock, 'now'>): Job {
  const toldAt = clock.now()
  let start = 0
  return {
    bytes: refs.length * REF_BYTES,
    next: () => {
      if (start >= refs.length) return undefined
      const end = Math.min(refs.length, start + HEARD_REFS_MAX)
      const at = clock.now()
      const numbered = giver.number(refs, start, end)
      start = end
      return writeFrame({ type: 'heard', at, agoMs: agoMs + (at - toldAt), ...numbered })
    },
  }
}

function unreachableJob(refs: readonly HeardRef[]): Job {
  let start = 0
  return {
    bytes: refs.length * REF_BYTES,
    next: () => {
      if (start >= refs.length) return undefined
      const slice = refs.slice(start, (start += HEARD_REFS_MAX))
      return writeFrame({ type: 'unreachable', refs: slice })
    },
  }
}

const LEARN_HEAD = '{"type":"learn","entries":['

/** Several entries in a frame, until they are long enough. One that no frame can hold is left to the engine. */
function learnJob(
  entries: readonly Learnable[],
  { sliceBytes, frameBytesMax }: { readonly sliceBytes: number; readonly frameBytesMax: number },
): Job {
  let start = 0
  return {
    bytes: entries.reduce((sum, entry) => sum + learnableBytes(entry), 0),
    next: () => {
      const texts: string[] = []
      let chars = LEARN_HEAD.length + 2
      while (start < entries.length && chars < sliceBytes && texts.length < LEARN_ENTRIES_MAX) {
        const text = JSON.stringify(entries[start++])
        if (Buffer.byteLength(text) > frameBytesMax - sliceBytes * 4) continue
        texts.push(text)
        chars += text.length + 1
      }
      return texts.length === 0 ? undefined : `${LEARN_HEAD}${texts.join(',')}]}`
    },
  }
}
