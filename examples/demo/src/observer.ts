/** What the consumer has reported so far, and a way to wait for the next thing it will report. */
import type { Message } from './messages.js'

type List = Extract<Message, { kind: 'list' }>

export class Observer {
  calls = 0
  failures: string[] = []
  firstCallMs: number | undefined
  list: List | undefined
  /** Lists reported, to tell whether anything changed. */
  lists = 0
  /** When each process was last seen to answer, by pid. */
  readonly answered: Map<number, number> = new Map()
  private readonly conditions = new Set<() => void>()

  readonly receive: (message: Message) => void = (message) => {
    if (message.kind === 'called') {
      this.calls++
      this.answered.set(message.pid, Date.now())
    } else if (message.kind === 'failed') this.failures.push(message.message)
    else if (message.kind === 'first-call') this.firstCallMs = message.afterMs
    else if (message.kind === 'list') {
      this.list = message
      this.lists++
    }
    for (const check of this.conditions) check()
  }

  /** The state the consumer shows for an instance; undefined when it is not listed. */
  stateOf(id: string): string | undefined {
    return this.list?.instances.find((instance) => instance.id === id)?.state
  }

  /** Resolves when the condition holds, false after the deadline. */
  async until(condition: () => boolean, deadlineMs: number): Promise<boolean> {
    if (condition()) return true
    return new Promise((resolve) => {
      const end = (held: boolean): void => {
        clearTimeout(timer)
        this.conditions.delete(check)
        resolve(held)
      }
      const check = (): void => {
        if (condition()) end(true)
      }
      const timer = setTimeout(() => end(false), deadlineMs)
      this.conditions.add(check)
    })
  }
}
