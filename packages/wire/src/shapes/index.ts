/** Shapes of instances, lists and messages, with the check of what a node sends. */
export { isJsonObject, predicateOf, type Predicate, type Strictness } from '../shape/predicate.js'
export { readerOf, Warnings } from '../shape/reader.js'
export {
  any,
  boolean,
  choice,
  count,
  type Fields,
  integer,
  list,
  literal,
  number,
  object,
  optional,
  pairs,
  type Shape,
  sign,
  text,
  union,
} from '../shape/shape.js'
export { eventsResponseShape } from './events.js'
export { explanationShape } from './explanation.js'
export {
  allowField,
  errorResponseShape,
  hostField,
  idField,
  intentField,
  livenessField,
  nameField,
  portField,
  signatureFields,
} from './fields.js'
export { instanceShape, probeFields, probeShape } from './instances.js'
export { serverMessages } from './messages.js'
export { deltaShape, serviceSettingsShape, subscribersResponseShape, viewShape } from './services.js'
