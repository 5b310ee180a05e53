/** A transport that answers as a test says, on a clock moved by hand, and an engine on it. */
import { NO_LOGGER, type ClusterCharter, type EnginePort } from '@rollcall/core'
import { HandClock, settle } from '@rollcall/testkit/time'
import { createEtcdEngine } from './engine.js'
import {
  AuthenticateResponse,
  LeaseRequest,
  LeaseResponse,
  PATHS,
  RangeRequest,
  RangeResponse,
  StatusResponse,
  TxnRequest,
  TxnResponse,
  WatchRequest,
  WatchResponse,
} from './messages.js'
import type { EtcdOptions } from './options.js'
import type { Partly } from './protobuf.js'
import {
  RPC,
  RpcError,
  type EtcdTransport,
  type RpcCall,
  type RpcStream,
  type RpcStreamListener,
  type UnaryCall,
} from './transport.js'

export const CHARTER: ClusterCharter = { cluster: 'shop', format: 1, epoch: 'e1', secret: 's1' }
export const CHARTER_TEXT = JSON.stringify(CHARTER)
export const PREFIX = '/rollcall/shop/'
export const CHARTER_KEY = `${PREFIX}charter`

/** What a member does with a call. */
export type Answer = Uint8Array | RpcError | 'silence'

export interface SeenCall extends UnaryCall {
  readonly endpoint: string
}

/** One stream, with the hand of the test on the server's end. */
export class ScriptedStream {
  readonly endpoint: string
  readonly call: RpcCall
  readonly sent: Uint8Array[] = []
  closed = false
  private readonly listener: RpcStreamListener

  constructor(endpoint: string, call: RpcCall, listener: RpcStreamListener) {
    this.endpoint = endpoint
    this.call = call
    this.listener = listener
  }

  tell(bytes: Uint8Array): void {
    if (!this.closed) this.listener.message(bytes)
  }

  end(error: RpcError): void {
    if (this.closed) return
    this.closed = true
    this.listener.ended(error)
  }

  /** An answer of a watch. */
  watch(answer: Partly<WatchResponse>): void {
    this.tell(WatchResponse.encode({ header: headerOf(100), ...answer }))
  }

  /** The answer to a sign of life. */
  lease(ttlSeconds: number): void {
    this.tell(LeaseResponse.encode({ header: headerOf(100), id: 7n, ttlSeconds }))
  }

  get watchRequests(): readonly WatchRequest[] {
    return this.sent.map((bytes) => WatchRequest.decode(bytes))
  }
}

export class ScriptedEtcd implements EtcdTransport {
  readonly calls: SeenCall[] = []
  readonly streams: ScriptedStream[] = []
  readonly dropped: string[] = []
  /** Asked first; what it does not answer is answered as a healthy member would. */
  script: (call: SeenCall) => Answer | undefined = () => undefined
  revision = 100
  charter: string | undefined = CHARTER_TEXT
  version = '3.6.0'
  alarms: string[] = []
  private readonly clock: HandClock

  constructor(clock: HandClock) {
    this.clock = clock
  }

  unary(endpoint: string, call: UnaryCall): Promise<Uint8Array> {
    const seen = { ...call, endpoint }
    this.calls.push(seen)
    const answer = this.script(seen) ?? this.healthy(seen)
    if (answer instanceof Uint8Array) return Promise.resolve(answer)
    if (answer instanceof RpcError) return Promise.reject(answer)
    return new Promise((_, reject) => {
      this.clock.setTimer(call.timeoutMs, () => reject(new RpcError(RPC.deadlineExceeded, 'silence')))
    })
  }

  stream(endpoint: string, call: RpcCall, listener: RpcStreamListener): RpcStream {
    const stream = new ScriptedStream(endpoint, call, listener)
    this.streams.push(stream)
    return {
      send: (message) => void stream.sent.push(message),
      close: () => void (stream.closed = true),
    }
  }

  drop(endpoint: string): void {
    this.dropped.push(endpoint)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** The stream that was opened last. */
  get last(): ScriptedStream {
    const stream = this.streams.at(-1)
    if (stream === undefined) throw new Error('no stream is open')
    return stream
  }

  /** Calls of one kind, with their requests. */
  txns(): readonly TxnRequest[] {
    return this.calls
      .filter(({ path }) => path === PATHS.txn)
      .map(({ message }) => TxnRequest.decode(message))
  }

  private healthy({ path, message }: SeenCall): Answer {
    const header = headerOf(this.revision)
    const charter = this.charter === undefined ? [] : [kv(CHARTER_KEY, this.charter, 2)]
    if (path === PATHS.range) {
      const { key } = RangeRequest.decode(message)
      const kvs = Buffer.from(key).toString() === CHARTER_KEY ? charter : []
      return RangeResponse.encode({ header, kvs })
    }
    if (path === PATHS.txn) {
      // The read of a join; or what writes, and that succeeds.
      const { success } = TxnRequest.decode(message)
      const responses = success.map(({ range }) => (range === undefined ? {} : { range: { kvs: charter } }))
      return TxnResponse.encode({ header, succeeded: true, responses })
    }
    if (path === PATHS.status) {
      return StatusResponse.encode({ header, version: this.version, errors: this.alarms })
    }
    if (path === PATHS.authenticate) return AuthenticateResponse.encode({ token: 't0' })
    if (path === PATHS.grant) return LeaseResponse.encode({ header, id: 7n, ttlSeconds: 10 })
    return new RpcError(RPC.unknown, `nothing is scripted for ${path} ${LeaseRequest.decode(message).id}`)
  }
}

export function headerOf(
  revision: number,
  clusterId = 1n,
  raftTerm = 2,
): Partly<WatchResponse>['header'] & object {
  return { clusterId, memberId: 9n, revision, raftTerm }
}

export function kv(
  key: string,
  value: string,
  modRevision: number,
): { readonly key: Uint8Array; readonly value: string; readonly modRevision: number } {
  return { key: Buffer.from(key), value, modRevision }
}

/** A put of one of our keys as a watch tells it. */
export function putEvent(
  key: string,
  modRevision: number,
  value = 'v',
): Partly<WatchResponse['events'][number]> {
  return { type: 0, kv: kv(PREFIX + key, value, modRevision) }
}

export interface ScriptedScene {
  readonly clock: HandClock
  readonly etcd: ScriptedEtcd
  readonly engine: EnginePort
}

/** An engine that has joined, with its scripted etcd. */
export async function joinedScene(options: Partial<EtcdOptions> = {}): Promise<ScriptedScene> {
  const scene = scripted(options)
  await scene.engine.join(CHARTER)
  await settle()
  scene.etcd.calls.length = 0
  return scene
}

export function scripted(options: Partial<EtcdOptions> = {}): ScriptedScene {
  const clock = new HandClock(1_000)
  const etcd = new ScriptedEtcd(clock)
  const engine = createEtcdEngine(
    { clock, random: () => 0.99, logger: NO_LOGGER, transport: etcd },
    { endpoints: ['http://a:1', 'http://b:1', 'http://c:1'], prefix: PREFIX, ...options },
  )
  return { clock, etcd, engine }
}

export const UNAVAILABLE = new RpcError(RPC.unavailable, 'etcdserver: no leader')

/** Lets time pass in small steps, and between them everything that waits for nothing but its turn. */
export async function pass(clock: HandClock, ms: number): Promise<void> {
  const end = clock.now() + ms
  for (;;) {
    // A call that goes from member to member takes many turns.
    for (let turn = 0; turn < 5; turn += 1) await settle()
    if (clock.now() >= end) return
    await clock.pass(Math.min(STEP_MS, end - clock.now()))
  }
}

const STEP_MS = 50
