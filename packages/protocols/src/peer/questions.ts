/** Questions under way on one link: those that were asked of the peer, and how many of the peer's are being answered. */
import type { PeerQuestionKind, PeerQuestions } from '@rollcall/core'
import { type ErrorBody, isRegistryError, RegistryError } from '@rollcall/wire'
import { type AnswerFrame, isPeerAnswer } from './codec.js'
import type { LinkClock } from './sockets.js'

interface Asked {
  /** Takes the answer of its kind; false where it is none. */
  settle(answer: unknown): boolean
  fail(error: RegistryError): void
}

/** Longest wait for an answer, whatever was asked for. */
const TIMEOUT_MS_MAX = 60_000

/** The questions of one link. */
export class PeerQuestionBook {
  private readonly asked = new Map<number, Asked>()
  private readonly clock: LinkClock
  private readonly max: number
  private nextId = 0
  private answering = 0

  constructor(clock: LinkClock, max: number) {
    this.clock = clock
    this.max = max
  }

  /** `send` sends the question under a number; false where it cannot. */
  ask<K extends PeerQuestionKind>(
    kind: K,
    timeoutMs: number,
    send: (id: number) => boolean,
  ): Promise<PeerQuestions[K]['answers']> {
    if (this.asked.size >= this.max)
      return Promise.reject(
        new RegistryError('unreachable', 'as many questions to the peer as may be are open'),
      )
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel()
        this.asked.delete(id)
      }
      const fail = (error: RegistryError): void => {
        end()
        reject(error)
      }
      const cancel = this.clock.setTimer(Math.min(timeoutMs, TIMEOUT_MS_MAX), () =>
        fail(new RegistryError('timeout', 'the peer did not answer in time')),
      )
      const settle = (answer: unknown): boolean => {
        const fits = isPeerAnswer(kind, answer)
        if (fits) {
          end()
          resolve(answer)
        }
        return fits
      }
      this.asked.set(id, { settle, fail })
      if (!send(id)) fail(new RegistryError('unreachable', 'the peer takes no more at present'))
    })
  }

  /** An answer has arrived; false where it is none. One that comes too late is passed over. */
  answered({ id, answer, error }: AnswerFrame): boolean {
    const asked = this.asked.get(id)
    if (asked === undefined) return true
    if (error === undefined) return asked.settle(answer)
    asked.fail(new RegistryError(codeOf(error), error.message))
    return true
  }

  /** Answers a question of the peer: `reply` is called with what to send. */
  async answer(
    id: number,
    answer: () => Promise<unknown>,
    reply: (frame: AnswerFrame) => void,
  ): Promise<void> {
    if (this.answering >= this.max) return reply(failure(id, 'limit_exceeded', 'too many questions at once'))
    this.answering++
    try {
      reply({ type: 'answer', id, answer: await answer() })
    } catch (error) {
      if (isRegistryError(error)) reply(failure(id, error.code, error.message))
      else {
        reply(failure(id, 'internal', 'the node failed to answer'))
        throw error
      }
    } finally {
      this.answering--
    }
  }

  /** The link is over. */
  end(): void {
    for (const asked of [...this.asked.values()])
      asked.fail(new RegistryError('unreachable', 'the link to the peer ended'))
  }
}

/** The caller of `ask` knows two errors: the peer did not answer in time, or it did not answer. */
function codeOf({ code }: ErrorBody): 'timeout' | 'unreachable' {
  return code === 'timeout' ? 'timeout' : 'unreachable'
}

function failure(id: number, code: ErrorBody['code'], message: string): AnswerFrame {
  return { type: 'answer', id, error: { code, message } }
}
