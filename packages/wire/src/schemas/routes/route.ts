/** What a route is made of. */
import type { ErrorCode } from '../../errors.js'
import type { HeaderParameter, Needed, Optional, Parameter } from '../parameters/parameter.js'
import type { AnyShape, Shape } from '../../shape/shape.js'
import type { OperationId, Operations, ParametersOf } from './operations.js'

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** What a success looks like. */
export interface Success<Body extends AnyShape = AnyShape> {
  readonly status: number
  readonly description: string
  /** JSON body; none when absent. */
  readonly shape?: Body
  /** Media type of a body that is not JSON. */
  readonly mediaType?: string
  readonly etag?: boolean
  /** Comes as server-sent events where the caller asks for them. */
  readonly streams?: true
}

/** What every route says of itself. */
interface RouteBase {
  readonly method: Method
  /** With `{name}` for parameters. */
  readonly path: string
  /** One sentence: what it is for. */
  readonly summary: string
  /** What a caller has to know beyond that: what is assumed, what follows, when it fails. */
  readonly description: string
  /** Chapter of the document. */
  readonly tag: 'registry' | 'operators' | 'node'
  readonly headers?: readonly HeaderParameter[]
  /** The body is a batch: when every item failed, the usual answer comes beside the first error. */
  readonly batch?: true
  /** Codes the route itself may answer with, beside those of every route. */
  readonly errors: readonly ErrorCode[]
}

/** One parameter for each value that the operation takes, by its name. */
type Declared<Values> = {
  readonly [Name in keyof Values]-?: object extends Pick<Values, Name>
    ? Optional<Exclude<Values[Name], undefined>>
    : Needed<Values[Name]>
}

/** A row of the route table: what it takes and answers is what `Operations` says. */
export interface RouteOf<Id extends OperationId> extends RouteBase {
  readonly parameters: Declared<ParametersOf<Id>>
  readonly body?: Shape<Operations[Id]['body']>
  readonly successes: readonly Success<Shape<Operations[Id]['answer']>>[]
}

/** The rows of some operations. */
export type RoutesOf<Id extends OperationId> = { readonly [Each in Id]: RouteOf<Each> }

/** One route, whichever it is. */
export interface Route<Id extends string = OperationId> extends RouteBase {
  readonly id: Id
  readonly parameters: readonly Parameter[]
  readonly body?: AnyShape
  readonly successes: readonly Success[]
}
