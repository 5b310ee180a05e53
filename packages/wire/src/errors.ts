/**
 * The closed list of error codes. Every error that leaves a node, and every error the SDK raises, carries
 * exactly one of them; recognise errors by code, never by message text.
 *
 * `httpStatus` is the status of a response whose only content is this error, `retryable` says whether the
 * same request may succeed later without being changed, `help` is the one line a person needs next.
 */
const CODES = {
  malformed: { httpStatus: 400, retryable: false, help: 'Send a well-formed JSON object.' },
  invalid_argument: { httpStatus: 400, retryable: false, help: 'Correct the named field.' },
  forbidden_host: {
    httpStatus: 403,
    retryable: false,
    help: 'Call the node by its address, or have it started with --allowed-hosts NAME (allowedHosts); details.host is the name.',
  },
  forbidden_origin: {
    httpStatus: 403,
    retryable: false,
    help: 'Browsers may write and stream only from the origin of the node itself.',
  },
  namespace_not_allowed: {
    httpStatus: 403,
    retryable: false,
    help: 'Add the address to the allow list of the namespace.',
  },
  service_not_declared: {
    httpStatus: 403,
    retryable: false,
    help: 'Declare the service first: PUT /api/v1/services/{service}.',
  },
  group_not_declared: {
    httpStatus: 403,
    retryable: false,
    help: 'Add the group to the declaration of the service.',
  },
  service_not_allowed: {
    httpStatus: 403,
    retryable: false,
    help: 'Add the address to the allow list of the service.',
  },
  unknown_path: { httpStatus: 404, retryable: false, help: 'See /api/v1/openapi.json for every path.' },
  unknown_service: {
    httpStatus: 404,
    retryable: true,
    help: 'No instance has registered this service and no operator has declared it yet; add wait= to wait for it.',
  },
  unknown_instance: {
    httpStatus: 404,
    retryable: true,
    help: 'No such instance in this group of the service.',
  },
  method_not_allowed: {
    httpStatus: 405,
    retryable: false,
    help: 'The Allow header lists the methods of this path.',
  },
  id_taken: {
    httpStatus: 409,
    retryable: true,
    help: 'A live process holds this id; give each process its own id.',
  },
  superseded: {
    httpStatus: 409,
    retryable: false,
    help: 'A newer incarnation holds this id; details.incarnation is its number.',
  },
  deregistered: {
    httpStatus: 409,
    retryable: false,
    help: 'This incarnation was deregistered for good; register with a higher number.',
  },
  needs_confirmation: {
    httpStatus: 409,
    retryable: false,
    help: 'Check the list in details, then repeat with "confirm": true.',
  },
  frozen: {
    httpStatus: 409,
    retryable: false,
    help: 'An operator froze the namespace (details.namespaces): DELETE /api/v1/freeze first.',
  },
  body_too_large: {
    httpStatus: 413,
    retryable: false,
    help: 'Send less per request; details.bytesMax is the limit.',
  },
  batch_too_large: {
    httpStatus: 413,
    retryable: false,
    help: 'Split the batch; details.itemsMax is the limit.',
  },
  unsupported_media_type: { httpStatus: 415, retryable: false, help: 'Send Content-Type: application/json.' },
  limit_exceeded: {
    httpStatus: 429,
    retryable: true,
    help: 'A limit of this node is reached; details names it.',
  },
  internal: { httpStatus: 500, retryable: true, help: 'A fault of the node; its log has the details.' },
  not_ready: {
    httpStatus: 503,
    retryable: true,
    help: 'The node is still loading; try another node or wait.',
  },
  stopping: { httpStatus: 503, retryable: true, help: 'The node is stopping; try another node.' },
  not_durable: {
    httpStatus: 503,
    retryable: true,
    help: 'Accepted, but not with the durability that was asked for.',
  },
  protocol: {
    httpStatus: 400,
    retryable: false,
    help: 'The peer broke the stream protocol; see docs/protocol.md.',
  },
  unreachable: { httpStatus: 503, retryable: true, help: 'No registry could be reached.' },
  no_instances: {
    httpStatus: 503,
    retryable: true,
    help: 'The service is known to have no usable instance.',
  },
  timeout: { httpStatus: 504, retryable: true, help: 'The deadline passed first.' },
  aborted: { httpStatus: 499, retryable: false, help: 'The caller aborted the operation.' },
  closed: { httpStatus: 503, retryable: false, help: 'The client was closed.' },
} as const

/** One of the closed list of error codes. */
export type ErrorCode = keyof typeof CODES

/** What is known about one error code. */
export interface ErrorCodeInfo {
  /** Status of an HTTP response whose only content is this error. */
  readonly httpStatus: number
  /** Whether the unchanged request may succeed later. */
  readonly retryable: boolean
  /** One line that says what to do. */
  readonly help: string
}

/** Every error code with its HTTP status, whether to retry, and one line of help. */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeInfo>> = CODES

/** An error as it travels: the value of `error` in a response, a batch result or a stream message. */
export interface ErrorBody {
  readonly code: ErrorCode
  readonly message: string
  /** Path of the offending field, such as `instances[3].port`. */
  readonly field?: string
  readonly details?: Readonly<Record<string, unknown>>
}

const BRAND = Symbol.for('rollcall.RegistryError')

/** What a RegistryError carries beyond its message. */
export interface RegistryErrorOptions {
  readonly field?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/**
 * The one error class of Rollcall. Recognise it by `code`, or with `isRegistryError`. `instanceof` knows the errors of
 * other copies of this package too, as where a program has both its ES modules and its CommonJS build.
 */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.field = options.field
    this.details = options.details
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** By brand; a class derived from this one is known by its own prototype. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === RegistryError
      ? isRegistryError(value)
      : Function.prototype[Symbol.hasInstance].call(this, value)
  }

  /** HTTP status for a response that holds only this error. */
  get httpStatus(): number {
    return ERROR_CODES[this.code].httpStatus
  }

  /** Whether the unchanged request may succeed later. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable
  }

  /** The error as it travels. */
  toBody(): ErrorBody {
    return errorBody(this.code, this.message, this.field, this.details)
  }
}

/** Builds an error body without undefined members. */
export function errorBody(
  code: ErrorCode,
  message: string,
  field?: string,
  details?: Readonly<Record<string, unknown>>,
): ErrorBody {
  return {
    code,
    message,
    ...(field === undefined ? {} : { field }),
    ...(details === undefined ? {} : { details }),
  }
}

/** Whether a value is a RegistryError, also one from another copy of this package. */
export function isRegistryError(value: unknown): value is RegistryError {
  return typeof value === 'object' && value !== null && BRAND in value
}
