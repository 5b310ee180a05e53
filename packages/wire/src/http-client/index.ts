/** The HTTP client that the route table makes: every operation with its types. Runs wherever there is a `fetch`. */
export {
  createApi,
  isRead,
  type Api,
  type ApiOptions,
  type CallId,
  type CallRequest,
  type HttpAnswer,
  type HttpFetch,
} from './api.js'
export type { OperationId, Operations, ParametersOf } from '../schemas/routes/operations.js'
