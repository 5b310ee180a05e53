/** What a node does with requests: readers of bodies, parameters, the route table and the OpenAPI document. */
export { isJsonObject } from '../shape/predicate.js'
export { apiIndex } from './api-index.js'
export { openApiDocument, type OpenApiOptions } from './openapi.js'
export type { Parameter } from './parameters/parameter.js'
export { readParameters, type UrlValues } from './parameters/read.js'
export { EVENTS_LIMIT, SERVICES_LIMIT } from './parameters/table.js'
export type { Batch, FramedBatch, Read, RefusedItem } from './readers/batch.js'
export {
  readDeregister,
  readHeartbeat,
  readRegister,
  readRestore,
  type DeregisterRead,
} from './readers/instances.js'
export {
  readAck,
  readHello,
  readLookup,
  readServicesQuery,
  readSettled,
  readSigns,
  readWatch,
} from './readers/messages.js'
export {
  readClearing,
  readFreeze,
  readNamespaceSettings,
  readOverride,
  readServiceSettings,
} from './readers/settings.js'
export { streamSchema } from './stream-schema.js'
export { NODE_ROUTES, OPERATIONS, ROUTES } from './routes/index.js'
export type { OperationId, Operations, ParametersOf } from './routes/operations.js'
export type { Method, Route } from './routes/route.js'
