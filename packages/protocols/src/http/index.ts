/** What pages of the server itself need of the floor that the protocols stand on. */
export { createGate, type Gate } from './gate.js'
export { headersOf } from './headers.js'
