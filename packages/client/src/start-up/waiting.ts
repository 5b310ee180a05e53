import { RegistryError } from '@rollcall/wire'
import { abortedError } from '../shell/driver.js'
import type { ReadyOptions, Service } from '../service.js'
import type { Clock } from '../machine/ports.js'

/**
 * Waits for all services at once. Rejects when each one is ready or is not, with the code of the first that is not,
 * and `details.services`: the code of each that is not, by name.
 */
export async function allReady(services: readonly Service[], options: ReadyOptions): Promise<void> {
  const failed: Record<string, string> = {}
  let first: RegistryError | undefined
  await Promise.all(
    services.map((service) =>
      service.ready(options).catch((error: unknown) => {
        if (!(error instanceof RegistryError)) throw error
        first ??= error
        failed[service.group === undefined ? service.name : `${service.name}:${service.group}`] = error.code
      }),
    ),
  )
  if (first === undefined) return
  const names = Object.entries(failed).map(([name, code]) => `${name} (${code})`)
  throw new RegistryError(
    first.code,
    `${names.length} of ${services.length} services are not ready: ${names.join(', ')}`,
    { cause: first, details: { services: failed } },
  )
}

/** Waits for something that never rejects, no longer than this; rejects with `aborted` on abort only. */
export function waitWithin(
  work: Promise<void>,
  clock: Pick<Clock, 'setTimer'>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(abortedError(signal))
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel()
      if (signal !== undefined) reject(abortedError(signal))
    }
    const end = (): void => {
      cancel()
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    const cancel = clock.setTimer(Math.max(0, timeoutMs), end)
    signal?.addEventListener('abort', abort, { once: true })
    void work.then(end)
  })
}
