/** What a route is made of. */
import type { z } from 'zod'
import type { ErrorCode } from '../errors.js'
import type { Parameter } from './parameters.js'

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** What a success looks like. */
export interface Success {
  readonly status: number
  readonly description: string
  /** JSON body; none when absent. */
  readonly schema?: z.ZodType
  /** Media type of a body that is not JSON. */
  readonly mediaType?: string
  readonly etag?: boolean
  /** Comes as server-sent events to those who ask for them. */
  readonly streams?: true
}

/** One route. */
export interface Route<Id extends string> {
  readonly id: Id
  readonly method: Method
  /** With `{name}` for parameters. */
  readonly path: string
  readonly summary: string
  readonly parameters: readonly Parameter[]
  readonly body?: z.ZodType
  /** The body is a batch: when every item failed, the usual answer comes beside the first error. */
  readonly batch?: true
  readonly successes: readonly Success[]
  /** Codes the route itself may answer with, beside those of every route. */
  readonly errors: readonly ErrorCode[]
}
