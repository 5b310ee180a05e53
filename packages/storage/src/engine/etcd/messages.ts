/**
 * The messages of etcd's API v3 that are spoken here, with their field numbers: etcdserverpb/rpc.proto and mvccpb/kv.proto.
 * A union (`oneof`) is several fields of which one is there.
 */
import { inner, list, message, one, texts, type MessageType } from './protobuf.js'

/** What every answer begins with. */
export interface ResponseHeader {
  clusterId: bigint
  memberId: bigint
  revision: number
  raftTerm: number
}
export const ResponseHeader: MessageType<ResponseHeader> = message<ResponseHeader>({
  clusterId: one(1, 'id'),
  memberId: one(2, 'id'),
  revision: one(3, 'int'),
  raftTerm: one(4, 'int'),
})

/** An answer that only says that it was done; and, as it is empty, a request without fields. */
export interface HeaderOnly {
  header: ResponseHeader | undefined
}
export const HeaderOnly: MessageType<HeaderOnly> = message<HeaderOnly>({ header: inner(1, ResponseHeader) })

/** A key; `value` is empty where only keys were asked for, and in deletions. */
export interface KeyValue {
  key: Uint8Array
  modRevision: number
  value: string
}
export const KeyValue: MessageType<KeyValue> = message<KeyValue>({
  key: one(1, 'bytes'),
  modRevision: one(3, 'int'),
  value: one(5, 'text'),
})

// ---- reads and writes ------------------------------------------------------------------------------------

export interface RangeRequest {
  key: Uint8Array
  /** Keys from `key` up to this one, without it; empty: just `key`. */
  rangeEnd: Uint8Array
  limit: number
  /** As of this revision; 0: the newest. */
  revision: number
  keysOnly: boolean
}
export const RangeRequest: MessageType<RangeRequest> = message<RangeRequest>({
  key: one(1, 'bytes'),
  rangeEnd: one(2, 'bytes'),
  limit: one(3, 'int'),
  revision: one(4, 'int'),
  keysOnly: one(8, 'flag'),
})

export interface RangeResponse {
  header: ResponseHeader | undefined
  kvs: readonly KeyValue[]
  more: boolean
}
export const RangeResponse: MessageType<RangeResponse> = message<RangeResponse>({
  header: inner(1, ResponseHeader),
  kvs: list(2, KeyValue),
  more: one(3, 'flag'),
})

export interface PutRequest {
  key: string
  value: string
  lease: bigint
}
export const PutRequest: MessageType<PutRequest> = message<PutRequest>({
  key: one(1, 'text'),
  value: one(2, 'text'),
  lease: one(3, 'id'),
})

/** One of them. */
export interface RequestOp {
  range: RangeRequest | undefined
  put: PutRequest | undefined
}
export const RequestOp: MessageType<RequestOp> = message<RequestOp>({
  range: inner(1, RangeRequest),
  put: inner(2, PutRequest),
})

/** Of a put only that it was done is told. */
export interface ResponseOp {
  range: RangeResponse | undefined
}
export const ResponseOp: MessageType<ResponseOp> = message<ResponseOp>({ range: inner(1, RangeResponse) })

/** Whether what stands at a key equals what is given: `result` is left at its default, EQUAL. */
export interface Compare {
  target: number
  key: string
  /** One of them, as `target` says. */
  modRevision: number
  value: string
}
/** Values of `Compare.target`. */
export const COMPARE = { mod: 2, value: 3 } as const
export const Compare: MessageType<Compare> = message<Compare>({
  target: one(2, 'int'),
  key: one(3, 'text'),
  modRevision: one(6, 'int'),
  value: one(7, 'text'),
})

export interface TxnRequest {
  compare: readonly Compare[]
  success: readonly RequestOp[]
  failure: readonly RequestOp[]
}
export const TxnRequest: MessageType<TxnRequest> = message<TxnRequest>({
  compare: list(1, Compare),
  success: list(2, RequestOp),
  failure: list(3, RequestOp),
})

export interface TxnResponse {
  header: ResponseHeader | undefined
  succeeded: boolean
  responses: readonly ResponseOp[]
}
export const TxnResponse: MessageType<TxnResponse> = message<TxnResponse>({
  header: inner(1, ResponseHeader),
  succeeded: one(2, 'flag'),
  responses: list(3, ResponseOp),
})

// ---- watching --------------------------------------------------------------------------------------------

export interface WatchCreateRequest {
  key: Uint8Array
  rangeEnd: Uint8Array
  /** The first revision that is told. */
  startRevision: number
  progressNotify: boolean
  fragment: boolean
}
export const WatchCreateRequest: MessageType<WatchCreateRequest> = message<WatchCreateRequest>({
  key: one(1, 'bytes'),
  rangeEnd: one(2, 'bytes'),
  startRevision: one(3, 'int'),
  progressNotify: one(4, 'flag'),
  fragment: one(8, 'flag'),
})

/** One of them. */
export interface WatchRequest {
  create: WatchCreateRequest | undefined
  /** A request for progress, which has no fields. */
  progress: HeaderOnly | undefined
}
export const WatchRequest: MessageType<WatchRequest> = message<WatchRequest>({
  create: inner(1, WatchCreateRequest),
  progress: inner(3, HeaderOnly),
})

export interface WatchEvent {
  /** 0: put, 1: delete. */
  type: number
  kv: KeyValue | undefined
}
export const WatchEvent: MessageType<WatchEvent> = message<WatchEvent>({
  type: one(1, 'int'),
  kv: inner(2, KeyValue),
})

export interface WatchResponse {
  header: ResponseHeader | undefined
  watchId: number
  created: boolean
  canceled: boolean
  compactRevision: number
  cancelReason: string
  /** More of the same answer follows. */
  fragment: boolean
  events: readonly WatchEvent[]
}
export const WatchResponse: MessageType<WatchResponse> = message<WatchResponse>({
  header: inner(1, ResponseHeader),
  watchId: one(2, 'int'),
  created: one(3, 'flag'),
  canceled: one(4, 'flag'),
  compactRevision: one(5, 'int'),
  cancelReason: one(6, 'text'),
  fragment: one(7, 'flag'),
  events: list(11, WatchEvent),
})

// ---- leases ----------------------------------------------------------------------------------------------

/** Without an id: the server chooses one. */
export interface LeaseGrantRequest {
  ttlSeconds: number
}
export const LeaseGrantRequest: MessageType<LeaseGrantRequest> = message<LeaseGrantRequest>({
  ttlSeconds: one(1, 'int'),
})

/** The answer to a grant and to a sign of life; a lease that is gone has no time left. */
export interface LeaseResponse {
  header: ResponseHeader | undefined
  id: bigint
  ttlSeconds: number
}
export const LeaseResponse: MessageType<LeaseResponse> = message<LeaseResponse>({
  header: inner(1, ResponseHeader),
  id: one(2, 'id'),
  ttlSeconds: one(3, 'int'),
})

/** Names a lease: a revocation, or a sign of life. */
export interface LeaseRequest {
  id: bigint
}
export const LeaseRequest: MessageType<LeaseRequest> = message<LeaseRequest>({ id: one(1, 'id') })

// ---- the member, and its users ---------------------------------------------------------------------------

export interface StatusResponse {
  header: ResponseHeader | undefined
  version: string
  /** Alarms of all members, as text: `memberID:… alarm:NOSPACE `; and other complaints. */
  errors: readonly string[]
}
export const StatusResponse: MessageType<StatusResponse> = message<StatusResponse>({
  header: inner(1, ResponseHeader),
  version: one(2, 'text'),
  errors: texts(8),
})

export interface AuthenticateRequest {
  name: string
  password: string
}
export const AuthenticateRequest: MessageType<AuthenticateRequest> = message<AuthenticateRequest>({
  name: one(1, 'text'),
  password: one(2, 'text'),
})

export interface AuthenticateResponse {
  token: string
}
export const AuthenticateResponse: MessageType<AuthenticateResponse> = message<AuthenticateResponse>({
  token: one(2, 'text'),
})

// ---- where they go ---------------------------------------------------------------------------------------

/** The paths of the calls. */
export const PATHS = {
  range: '/etcdserverpb.KV/Range',
  txn: '/etcdserverpb.KV/Txn',
  watch: '/etcdserverpb.Watch/Watch',
  grant: '/etcdserverpb.Lease/LeaseGrant',
  revoke: '/etcdserverpb.Lease/LeaseRevoke',
  keepAlive: '/etcdserverpb.Lease/LeaseKeepAlive',
  status: '/etcdserverpb.Maintenance/Status',
  authenticate: '/etcdserverpb.Auth/Authenticate',
} as const
