/** Schemas of the native contract: judging of requests, the route table and the OpenAPI document. Needs zod. */
export { isJsonObject, type Judged } from './judging.js'
export { openApiDocument, type OpenApiOptions } from './openapi.js'
export { readClearing, readFreeze, readOverride, readRestore, type FramedBatch } from './operator-readers.js'
export type { OperatorOperationId } from './operator-routes.js'
export { overridesListSchema, overridesResponseSchema } from './operators.js'
export { EVENTS_LIMIT, SERVICES_LIMIT, type Parameter } from './parameters.js'
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
export type { Method } from './route.js'
export { NODE_ROUTES, ROUTES, type OperationId, type Route } from './routes.js'
