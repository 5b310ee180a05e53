/** Time in the hands of tests and of the simulation. It imports nothing, so that tests of any package may use it. */
export { EventQueue } from './event-queue.js'
export { HandClock, settle } from './hand-clock.js'
