/** The way between one node and a store in memory: it takes time, and it can be cut, slow, or lose answers. */
import { EngineError, type Clock } from '@rollcall/core'

/** What tests and the simulation do to the connection of one node. */
export interface MemoryLine {
  /** Nothing gets through any more, in either direction, and no end of the connection is seen. */
  cut(): void
  /** What still has time to arrive arrives now. */
  heal(): void
  /** The connection breaks and can be made again at once: what is under way fails, watches end. */
  reset(): void
  /** How much longer each message takes. */
  delayMs: number
  /** While true, what is asked is done and the answers are lost. */
  losesAnswers: boolean
}

export interface LineOptions {
  /** How long a message takes, asked for each. */
  readonly latencyMs: () => number
  /** When what was not answered has failed. */
  readonly deadlineMs: number
}

/** A message that is on its way, or held up by a cut. */
interface Message {
  arrived: boolean
  readonly run: () => void
}

/** Something that is under way and can fail. */
type Fail = (error: EngineError) => void

/** Bounded by what waits: a call that has failed is no longer held, and a watch has few messages on its way. */
export class StoreLine implements MemoryLine {
  private readonly clock: Clock
  private readonly options: LineOptions
  private readonly underWay = new Set<Fail>()
  private readonly held = new Set<Message>()
  private isCut = false
  delayMs = 0
  losesAnswers = false

  constructor(clock: Clock, options: LineOptions) {
    this.clock = clock
    this.options = options
  }

  cut(): void {
    this.isCut = true
  }

  heal(): void {
    this.isCut = false
    const late = [...this.held]
    this.held.clear()
    for (const message of late) this.arrive(message)
  }

  reset(): void {
    this.fail(new EngineError('unavailable', 'the connection is broken'))
  }

  /** Everything that is under way fails. */
  fail(error: EngineError): void {
    for (const fail of [...this.underWay]) fail(error)
  }

  /** Sends a message one way; the returned function takes it back. */
  send(run: () => void): () => void {
    const message = { arrived: false, run }
    const cancel = this.clock.setTimer(this.options.latencyMs() + this.delayMs, () => this.arrive(message))
    return () => {
      message.arrived = true
      this.held.delete(message)
      cancel()
    }
  }

  /** Has something done at the other end and brings back what came of it. */
  call<T>(operation: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let takeBack = (): void => {}
      const end = this.expect((error) => {
        takeBack()
        reject(error)
      })
      const answer = (run: () => void): void => {
        takeBack = this.losesAnswers
          ? () => {}
          : this.send(() => {
              end()
              run()
            })
      }
      takeBack = this.send(() => {
        let value: T
        try {
          value = operation()
        } catch (cause) {
          const error = cause as Error
          answer(() => reject(error))
          return
        }
        answer(() => resolve(value))
      })
    })
  }

  /** Fails at the deadline, or with the line; the returned function ends the wait for it. */
  expect(failed: Fail): () => void {
    const fail: Fail = (error) => {
      end()
      failed(error)
    }
    const end = (): void => {
      cancel()
      this.underWay.delete(fail)
    }
    const cancel = this.clock.setTimer(this.options.deadlineMs, () =>
      fail(new EngineError('unavailable', `no answer within ${this.options.deadlineMs} ms`)),
    )
    this.underWay.add(fail)
    return end
  }

  private arrive(message: Message): void {
    if (message.arrived) return
    if (this.isCut) {
      this.held.add(message)
      return
    }
    message.arrived = true
    message.run()
  }
}
