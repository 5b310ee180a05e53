/** Schemas of the native contract: judging of requests, the route table and the OpenAPI document. Needs zod. */
export { isJsonObject, type Judged } from './judging.js'
export { openApiDocument, type OpenApiOptions } from './openapi.js'
export { readClearing, readFreeze, readOverride, readRestore, type FramedBatch } from './operator-readers.js'
export { overridesListSchema, overridesResponseSchema } from './operators.js'
export type { Parameter } from './parameters/parameter.js'
export { readParameters, type UrlValues } from './parameters/read.js'
export { EVENTS_LIMIT, SERVICES_LIMIT } from './parameters/table.js'
export {
  readAck,
  readDeregister,
  readHeartbeat,
  readHello,
  readLookup,
  readNamespaceSettings,
  readRegister,
  readServiceSettings,
  readServicesQuery,
  readSigns,
  readSettled,
  readWatch,
  type Batch,
  type DeregisterRead,
  type Read,
  type RefusedItem,
} from './readers.js'
export * from './responses.js'
export { NODE_ROUTES, ROUTES } from './routes/index.js'
export type { OperationId, ParametersOf } from './routes/operations.js'
export type { Method, Route } from './routes/route.js'
