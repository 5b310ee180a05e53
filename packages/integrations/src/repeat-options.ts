/** Which HTTP requests are tried again, for undici and axios. */
import type { CallOptions, Judgement } from '@rollcall/client'

/** Which attempts an HTTP request is given, and what answers mean. */
export interface RepeatOptions extends Pick<
  CallOptions,
  'attempts' | 'timeoutMs' | 'tryTimeoutMs' | 'hedgeMs'
> {
  /** Which answers count against the instance, three in a row. Default none. */
  readonly failOn?: (status: number) => boolean
  /** Which answers are asked for again at another instance, where the request is idempotent. Default none. */
  readonly retryOn?: (status: number) => boolean
}

/** Methods that HTTP says may be repeated. */
export const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** What of it `call` takes as it is. */
export function callOptions({
  attempts,
  timeoutMs,
  tryTimeoutMs,
  hedgeMs,
}: RepeatOptions): Pick<CallOptions, 'attempts' | 'timeoutMs' | 'tryTimeoutMs' | 'hedgeMs'> {
  return {
    ...(attempts !== undefined && { attempts }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(tryTimeoutMs !== undefined && { tryTimeoutMs }),
    ...(hedgeMs !== undefined && { hedgeMs }),
  }
}

/** What an answer with this status means. */
export function judgeStatus({ failOn, retryOn }: RepeatOptions, status: number): Judgement {
  const outcome = failOn?.(status) === true ? 'failure' : 'success'
  return { outcome, retry: retryOn?.(status) === true ? 'idempotent' : 'never' }
}
