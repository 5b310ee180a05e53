/** The token of a user of etcd: asked for when it is needed, and again when a member does not know it any more. */
import type { EtcdOptions } from './options.js'
import { AuthenticateRequest, AuthenticateResponse, PATHS } from './messages.js'
import { RPC, RpcError, type EtcdTransport } from './transport.js'

export interface Tokens {
  /** Whether there is a user at all. */
  readonly used: boolean
  /** Headers with the token; asks `endpoint` for one when there is none. Rejects with RpcError. */
  headers(endpoint: string, timeoutMs: number): Promise<Readonly<Record<string, string>>>
  /** The token of these headers was refused: the next call asks for another one. */
  refused(headers: Readonly<Record<string, string>>): void
}

const NONE = {}

export function createTokens(
  transport: EtcdTransport,
  { user, password }: Pick<EtcdOptions, 'user' | 'password'>,
): Tokens {
  if (user === undefined || password === undefined)
    return { used: false, headers: () => Promise.resolve(NONE), refused() {} }
  const message = AuthenticateRequest.encode({ name: user, password })
  let current: Readonly<Record<string, string>> | undefined
  /** Several calls that need a token wait for the same one. */
  let asking:
    | { readonly endpoint: string; readonly answer: Promise<Readonly<Record<string, string>>> }
    | undefined

  async function ask(endpoint: string, timeoutMs: number): Promise<Readonly<Record<string, string>>> {
    try {
      const bytes = await transport.unary(endpoint, {
        path: PATHS.authenticate,
        headers: NONE,
        message,
        timeoutMs,
      })
      current = { token: AuthenticateResponse.decode(bytes).token }
    } catch (error) {
      // An etcd whose users are switched off asks for no token either.
      const off = error instanceof RpcError && error.status === RPC.failedPrecondition
      if (!off || !/authentication is not enabled/.test(error.message)) throw error
      current = { ...NONE }
    }
    return current
  }

  return {
    used: true,
    headers(endpoint, timeoutMs) {
      if (current !== undefined) return Promise.resolve(current)
      if (asking?.endpoint !== endpoint) {
        const answer = ask(endpoint, timeoutMs).finally(() => {
          if (asking?.answer === answer) asking = undefined
        })
        asking = { endpoint, answer }
      }
      return asking.answer
    },
    refused(headers) {
      if (current === headers) current = undefined
    },
  }
}
