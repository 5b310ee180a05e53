/**
 * A link that stands, one side of it: both run the same steps over frames and time. Whatever it holds is bounded, a turn
 * of the event loop does a bounded part of it, and a peer that says nothing, or hears nothing, is let go.
 */
import type { Logger, PeerMessage, PeerQuestionKind, PeerQuestions } from '@rollcall/core'
import { type AskFrame, type PeerFrame, readFrame, writeFrame } from './codec.js'
import { PEER_CLOSE_CODES, type PeerCloseCode } from './errors.js'
import { jobOf } from './jobs.js'
import { readLearnable } from './learnables.js'
import { HandleGiver, HandleTaker } from './mapping.js'
import type { ResolvedPeerOptions } from './options.js'
import { PeerQuestionBook } from './questions.js'
import { PeerQueue } from './queue.js'
import type { LinkClock, PeerSocket, PeerSocketEvents } from './sockets.js'
import { Transit } from './transit.js'

export interface PeerLinkDeps {
  readonly clock: LinkClock
  readonly logger: Logger
}

/** What a link tells the node that it belongs to. */
export interface PeerLinkEvents {
  told(message: PeerMessage): void
  answer(
    kind: PeerQuestionKind,
    question: PeerQuestions[PeerQuestionKind]['asks'],
  ): Promise<PeerQuestions[PeerQuestionKind]['answers']>
  /** Entries of a `learn` that this version cannot read. */
  unread(entries: number): void
  /** It is over. Called once, and nothing after it. */
  ended(reason: string): void
}

/** What a sign of life costs the node beside its bytes. */
const REF_WORK = 32

/** One side of a link. */
export class PeerLink implements PeerSocketEvents {
  private readonly clock: LinkClock
  private readonly logger: Logger
  private readonly socket: PeerSocket
  private readonly options: ResolvedPeerOptions
  private readonly events: PeerLinkEvents
  private readonly queue: PeerQueue
  private readonly questions: PeerQuestionBook
  private readonly giver: HandleGiver
  private readonly taker: HandleTaker
  private readonly transit = new Transit()
  private inbox: { readonly text: string; readonly at: number }[] = []
  private inboxBytes = 0
  private paused = false
  /** What was handled in this turn of the event loop, in bytes; whether its end is waited for. */
  private work = 0
  private isTurn = false
  private over = false
  private heardAt: number
  /** When the peer had last shown that it hears this node. */
  private echoedAt: number
  /** When the next tick was to come. */
  private tickAt: number
  private lastPing: number | undefined
  private cancelTick: () => void

  constructor(deps: PeerLinkDeps, options: ResolvedPeerOptions, socket: PeerSocket, events: PeerLinkEvents) {
    this.clock = deps.clock
    this.logger = deps.logger
    this.options = options
    this.socket = socket
    this.events = events
    this.questions = new PeerQuestionBook(deps.clock, options.questionsMax)
    this.giver = new HandleGiver(options.handlesMax)
    this.taker = new HandleTaker(options.handlesMax)
    this.queue = new PeerQueue(
      {
        get unsentBytes() {
          return socket.unsentBytes
        },
        send: (text) => socket.send(text),
        later: () => void deps.clock.setTimer(0, () => this.over || this.queue.pump()),
      },
      options,
    )
    const now = deps.clock.now()
    this.heardAt = now
    this.echoedAt = now
    this.tickAt = now
    this.cancelTick = deps.clock.setTimer(0, () => this.tick())
  }

  /** Takes it to be sent, or not. */
  tell(message: PeerMessage): boolean {
    return !this.over && this.queue.push(jobOf(message, this.giver, this.clock, this.options))
  }

  ask<K extends PeerQuestionKind>(
    kind: K,
    question: PeerQuestions[K]['asks'],
    timeoutMs: number,
  ): Promise<PeerQuestions[K]['answers']> {
    return this.questions.ask(kind, timeoutMs, (id) => this.post({ type: 'ask', id, kind, question }))
  }

  /** Ends it with a word to the peer. */
  end(code: PeerCloseCode, reason: string): void {
    if (this.over) return
    // A peer that is silent reads no word either.
    if (code === PEER_CLOSE_CODES.silent) this.socket.destroy()
    else this.socket.close(code, reason)
    this.finish(reason)
  }

  received(text: string): void {
    if (this.over) return
    const now = this.clock.now()
    this.heardAt = now
    this.inbox.push({ text, at: now })
    this.inboxBytes += text.length
    if (this.inboxBytes > this.options.inboxBytesMax) this.end(PEER_CLOSE_CODES.limit, 'too much at once')
    else if (!this.paused) this.drain()
  }

  drained(): void {
    if (!this.over) this.queue.pump()
  }

  closed(code: number, reason: string): void {
    this.finish(reason === '' ? `closed with ${code}` : `closed with ${code}: ${reason}`)
  }

  private finish(reason: string): void {
    if (this.over) return
    this.over = true
    this.cancelTick()
    this.inbox = []
    this.queue.clear()
    this.questions.end()
    this.events.ended(reason)
  }

  /** Handles what has arrived, a bounded part of it in each turn; reading stops as long as something waits. */
  private drain(): void {
    while (this.work < this.options.turnBytes) {
      const next = this.inbox.shift()
      if (next === undefined) break
      this.inboxBytes -= next.text.length
      const frame = readFrame(next.text)
      if (frame === undefined || !this.handle(frame, next.at))
        return this.end(PEER_CLOSE_CODES.garbage, 'not a message of this protocol')
      if (this.over) return
      this.work += next.text.length + ('refs' in frame ? frame.refs.length * REF_WORK : 0)
    }
    if (!this.isTurn) {
      this.isTurn = true
      this.clock.setTimer(0, () => this.nextTurn())
    }
    if (this.inbox.length > 0 && !this.paused) {
      this.paused = true
      this.socket.pause()
    }
  }

  private nextTurn(): void {
    this.isTurn = false
    this.work = 0
    if (this.over) return
    if (this.inbox.length > 0) this.drain()
    else if (this.paused) {
      this.paused = false
      this.socket.resume()
    }
  }

  /** False where it is no message after all. */
  private handle(frame: PeerFrame, arrivedAt: number): boolean {
    switch (frame.type) {
      case 'ping':
        this.transit.lateMs(frame.at, arrivedAt)
        this.lastPing = frame.at
        if (frame.echo !== undefined) this.echoedAt = Math.max(this.echoedAt, frame.echo)
        return this.echoedAt <= this.clock.now()
      case 'heard': {
        const refs = this.taker.read(frame)
        if (refs === undefined) return false
        const waitedMs = this.clock.now() - arrivedAt
        const agoMs = frame.agoMs + this.transit.lateMs(frame.at, arrivedAt) + waitedMs
        this.events.told({ type: 'heard', agoMs: Math.ceil(agoMs), refs })
        return true
      }
      case 'learn': {
        const read = frame.entries.map(readLearnable)
        const entries = read.filter((entry) => entry !== undefined)
        if (entries.length < read.length) this.events.unread(read.length - entries.length)
        if (entries.length > 0) this.events.told({ type: 'learn', entries })
        return true
      }
      case 'unreachable':
      case 'report':
        this.events.told(frame)
        return true
      case 'ask':
        void this.answer(frame)
        return true
      case 'answer':
        return this.questions.answered(frame)
      default:
        return true
    }
  }

  private async answer({ id, kind, question }: AskFrame): Promise<void> {
    try {
      await this.questions.answer(
        id,
        () => this.events.answer(kind, question),
        (frame) => void this.post(frame),
      )
    } catch (error) {
      this.logger.error({ error, kind }, 'a question of a peer was not answered')
    }
  }

  /** Sends one frame in its turn; one that the peer would not read is not sent. */
  private post(frame: Exclude<PeerFrame, { readonly type: 'unknown' }>): boolean {
    if (this.over) return false
    let text: string | undefined = writeFrame(frame)
    // Most bytes that its characters can have.
    if (
      text.length * 3 > this.options.frameBytesMax &&
      Buffer.byteLength(text) > this.options.frameBytesMax
    ) {
      if (frame.type !== 'answer') return false
      const error = { code: 'limit_exceeded', message: 'the answer is too long for a frame' } as const
      text = writeFrame({ type: 'answer', id: frame.id, error })
    }
    const next = (): string | undefined => {
      const made = text
      text = undefined
      return made
    }
    return this.queue.push({ bytes: text.length, next })
  }

  private tick(): void {
    const { pingMs, silentMs, unheardMs } = this.options
    const now = this.clock.now()
    // While this node stood still nothing could be heard: what has arrived meanwhile is read after this.
    const stoodMs = now - this.tickAt
    if (stoodMs > pingMs / 2) {
      this.heardAt = Math.min(now, this.heardAt + stoodMs)
      this.echoedAt = Math.min(now, this.echoedAt + stoodMs)
    }
    if (now - this.heardAt >= silentMs) return this.end(PEER_CLOSE_CODES.silent, 'nothing was heard')
    if (now - this.echoedAt >= unheardMs) return this.end(PEER_CLOSE_CODES.silent, 'nothing was answered')
    // Ahead of what waits: a long queue is no silence.
    const echo = this.lastPing === undefined ? {} : { echo: this.lastPing }
    this.socket.send(writeFrame({ type: 'ping', at: now, ...echo }))
    const nextMs = Math.min(pingMs, this.heardAt + silentMs - now)
    this.tickAt = now + nextMs
    this.cancelTick = this.clock.setTimer(nextMs, () => this.tick())
  }
}
