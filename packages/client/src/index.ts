/** The Rollcall SDK: register, watch, pick and call services. */
export type * from './api.js'
export { connect } from './connect.js'
export { judgeError } from './calls/judgement.js'
export { type NodeTls, nodeTls } from './calls/tls.js'
export { callerTimeoutMs, TIMEOUT_HEADER } from './calls/timeout-header.js'
export { ERROR_CODES, isRegistryError, RegistryError } from '@rollcall/wire'
