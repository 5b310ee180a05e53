/** The addresses of one host, asked one after the other. */
import type { ProbeAnswer } from './socket.js'

/** Asks one address; answers once and later, unless the returned function gives up first. */
export type Ask = (address: string, callback: (answer: ProbeAnswer) => void) => () => void

/**
 * Asks one address after the other until one succeeds, and answers once and later: `succeeded` when one did,
 * `refused` when all that could be asked refused, `unable` when this node could ask none of them, else
 * `failed`; each with the cause of the last that says so. `localhost` is why all are asked: a server that
 * listens on 127.0.0.1 refuses ::1, and that says nothing. The returned function gives up.
 */
export function attempt(
  ask: Ask,
  addresses: readonly string[],
  callback: (answer: ProbeAnswer) => void,
): () => void {
  let worst: ProbeAnswer = { outcome: 'unable' }
  let stop = (): void => {}

  function next(index: number): void {
    const address = addresses[index]
    if (address === undefined) return callback(worst)
    stop = ask(address, (answer) => {
      if (answer.outcome === 'succeeded') return callback(answer)
      if (WEIGHTS[answer.outcome] >= WEIGHTS[worst.outcome]) worst = answer
      next(index + 1)
    })
  }

  next(0)
  return () => stop()
}

/** Which of two answers speaks for a host. */
const WEIGHTS = { succeeded: 3, failed: 2, refused: 1, unable: 0, skipped: 0 } as const
