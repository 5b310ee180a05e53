/** The native protocol: HTTP, server-sent events and the WebSocket stream. */
export type { HttpBudgets } from '../http/budgets.js'
export { ViewBodies } from '../http/view-bodies.js'
export { pushPayload } from './codec.js'
export type { NodeIdentity } from './handlers/deps.js'
export {
  createStreamSession,
  type StreamSession,
  type StreamSessionDeps,
  type StreamTransport,
} from './handlers/session.js'
export { createMoves, type MovedStream, type Moves } from './moves.js'
export { resolveOptions, type NativeOptions, type ResolvedOptions } from './options.js'
export {
  createNativeProtocol,
  type NativeProtocol,
  type NativeProtocolDeps,
  type NativeStats,
} from './protocol.js'
