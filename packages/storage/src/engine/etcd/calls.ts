/** The calls to etcd, by name: written, sent, read, and held against what was seen of its history. */
import type { AttemptOptions, Endpoints } from './endpoints.js'
import type { EtcdHistory } from './history.js'
import {
  HeaderOnly,
  LeaseGrantRequest,
  LeaseRequest,
  LeaseResponse,
  PATHS,
  RangeRequest,
  RangeResponse,
  type ResponseHeader,
  StatusResponse,
  TxnResponse,
} from './messages.js'
import type { Partly } from './protobuf.js'

/** An answer whose header was there. */
type Headed<T> = T & { readonly header: ResponseHeader }

export interface Calls {
  /** Reads what all members agree on. */
  range(request: Partly<RangeRequest>, options?: AttemptOptions): Promise<Headed<RangeResponse>>
  /** A transaction as it is sent, by `TxnRequest`. */
  txn(message: Uint8Array, options?: AttemptOptions): Promise<Headed<TxnResponse>>
  /** The same for a charter: its answer says what the history is from now on. */
  join(message: Uint8Array): Promise<TxnResponse>
  grant(ttlSeconds: number): Promise<LeaseResponse>
  revoke(id: bigint, timeoutMs: number): Promise<void>
  /** How one member does. */
  status(endpoint: string): Promise<StatusResponse>
}

export function createCalls(endpoints: Endpoints, history: EtcdHistory): Calls {
  return {
    async range(request, options) {
      const before = history.seen
      const answer = RangeResponse.decode(
        await endpoints.call(PATHS.range, RangeRequest.encode(request), options),
      )
      return { ...answer, header: history.linearizable(answer.header, before) }
    },
    async txn(message, options) {
      const before = history.seen
      const answer = TxnResponse.decode(await endpoints.call(PATHS.txn, message, options))
      return { ...answer, header: history.linearizable(answer.header, before) }
    },
    async join(message) {
      const answer = TxnResponse.decode(await endpoints.call(PATHS.txn, message))
      history.join(answer.header)
      return answer
    },
    async grant(ttlSeconds) {
      const request = LeaseGrantRequest.encode({ ttlSeconds })
      const answer = LeaseResponse.decode(await endpoints.call(PATHS.grant, request))
      history.local(answer.header)
      return answer
    },
    async revoke(id, timeoutMs) {
      await endpoints.call(PATHS.revoke, LeaseRequest.encode({ id }), {
        endpoint: endpoints.current,
        timeoutMs,
      })
    },
    async status(endpoint) {
      const bytes = await endpoints.call(PATHS.status, HeaderOnly.encode({}), { endpoint })
      const answer = StatusResponse.decode(bytes)
      history.local(answer.header)
      return answer
    },
  }
}
