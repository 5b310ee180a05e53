/** One stream of a watch: asks for progress, notices silence, and reads what the answers mean. */
import { type Clock, EngineError } from '@rollcall/core'
import type { Endpoints, OpenStream } from './endpoints.js'
import type { EtcdHistory } from './history.js'
import type { PrefixKeys } from './keys.js'
import { PATHS, WatchRequest, WatchResponse } from './messages.js'
import type { EtcdTiming } from './options.js'
import type { WholeRevisions, Told } from './revisions.js'
import { meaningOf } from './rpc-status.js'
import { RPC, RpcError } from './transport.js'

export interface WatchStreamDeps {
  readonly endpoints: Endpoints
  readonly history: EtcdHistory
  readonly keys: PrefixKeys
  readonly clock: Clock
  readonly timing: EtcdTiming
}

export interface WatchStreamListener {
  told(told: Told): void
  /** The watch stands, or has got further, or only lives. */
  progressed(): void
}

/** How it ended: another stream should follow, for the member fell silent or for another reason, or it was closed. */
type WatchStreamEnd = 'silent' | 'closed' | Error

const PROGRESS = WatchRequest.encode({ progress: {} })
/** In answers to a request for progress, which is for all watches of the stream. */
const EVERY_WATCH = -1

/** A watch over one stream to one member, from the revision after the one told last. */
export class WatchStream {
  readonly over: Promise<WatchStreamEnd>
  private readonly deps: WatchStreamDeps
  private readonly revisions: WholeRevisions
  private readonly listener: WatchStreamListener
  /** The member answers a request for progress behind the events that it speaks of. */
  private readonly inOrder: boolean
  private readonly resolve: (end: WatchStreamEnd) => void
  private finished = false
  private stream: OpenStream | undefined
  private cancelTick = (): void => {}
  private unanswered = 0

  constructor(
    deps: WatchStreamDeps,
    member: { readonly endpoint: string; readonly inOrder: boolean },
    revisions: WholeRevisions,
    listener: WatchStreamListener,
  ) {
    this.deps = deps
    this.revisions = revisions
    this.listener = listener
    this.inOrder = member.inOrder
    let resolve: ((end: WatchStreamEnd) => void) | undefined
    this.over = new Promise((settle) => (resolve = settle))
    this.resolve = (end) => resolve?.(end)
    void this.open(member.endpoint)
  }

  close(): void {
    this.finish('closed')
  }

  private finish(end: WatchStreamEnd): void {
    if (this.finished) return
    this.finished = true
    this.cancelTick()
    this.stream?.close()
    this.resolve(end)
  }

  private async open(endpoint: string): Promise<void> {
    const { endpoints, clock, timing, keys } = this.deps
    try {
      this.stream = await endpoints.open(PATHS.watch, endpoint, {
        message: (bytes) => this.heard(bytes),
        ended: (error) => {
          if (meaningOf(error) === 'token') this.stream?.refused()
          this.finish(error)
        },
      })
    } catch (error) {
      return this.finish(error as Error)
    }
    if (this.finished) return this.stream.close()
    this.stream.send(
      WatchRequest.encode({
        create: {
          key: keys.first,
          rangeEnd: keys.end,
          startRevision: this.revisions.told + 1,
          progressNotify: true,
          fragment: true,
        },
      }),
    )
    this.cancelTick = clock.setTimer(timing.progressMs, () => this.tick())
  }

  /** Counts questions without an answer, not time: a stall of this process is no silence of the other. */
  private tick(): void {
    const { clock, timing } = this.deps
    if (this.unanswered >= timing.progressMissesMax) return this.finish('silent')
    this.cancelTick = clock.setTimer(timing.progressMs, () => this.tick())
    this.unanswered += 1
    this.stream?.send(PROGRESS)
  }

  private heard(bytes: Uint8Array): void {
    if (this.finished) return
    this.unanswered = 0
    try {
      this.read(WatchResponse.decode(bytes))
    } catch (error) {
      this.finish(error as Error)
    }
  }

  private read(answer: WatchResponse): void {
    const { revision } = this.deps.history.local(answer.header)
    if (answer.canceled) throw this.cancelled(answer)
    if (answer.events.length > 0 || answer.fragment) {
      this.listener.told(this.revisions.take(answer.events, answer.fragment))
      return
    }
    // That it was created says nothing about what happened since the revision it begins with.
    const reached = !answer.created && (answer.watchId !== EVERY_WATCH || this.inOrder)
    if (reached) this.revisions.reached(revision)
    this.listener.progressed()
  }

  private cancelled({ compactRevision, cancelReason }: WatchResponse): Error {
    if (compactRevision > 0 || /compacted/.test(cancelReason)) {
      return new EngineError('compacted', `history before revision ${compactRevision} is compacted`)
    }
    // Before 3.5 a token that ran out is told as a missing permission.
    if (/auth|permission|user name/i.test(cancelReason)) {
      this.stream?.refused()
      return new EngineError('refused', `etcd refuses the watch: ${cancelReason.slice(0, 200)}`)
    }
    return new RpcError(RPC.cancelled, `etcd cancelled the watch: ${cancelReason.slice(0, 200)}`)
  }
}
