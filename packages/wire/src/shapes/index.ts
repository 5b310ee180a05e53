/** Shapes of instances, lists and messages, with the check of what a node sends. */
export { predicateOf, type Predicate, type Strictness } from '../shape/predicate.js'
export { errorResponseShape } from './fields.js'
export { instanceShape } from './instances.js'
export { serverMessages } from './messages.js'
export { deltaShape, viewShape } from './services.js'
