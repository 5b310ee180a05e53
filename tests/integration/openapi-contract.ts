/** The OpenAPI document that a server serves, as a judge of what it answers. */
import type { ServerProcess } from '@rollcall/testkit'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { createApi, type Answer, type Api } from './http-calls.js'

type Json = Readonly<Record<string, unknown>>

/** Checks answers; throws where document and truth differ. */
export interface Contract {
  check(method: string, path: string, answer: Answer): void
  /** Operations of the document, as `METHOD path`, of which no answer was checked so far; without those of operators. */
  readonly unseen: readonly string[]
  /** The same of operations for operators. */
  readonly unseenForOperators: readonly string[]
}

/** An API client whose every answer is checked against the document of the server, or by a contract from before. */
export async function openCheckedApi(
  server: Pick<ServerProcess, 'host' | 'port'>,
  known?: Contract,
): Promise<{ readonly api: Api; readonly contract: Contract }> {
  if (known !== undefined) return { api: createApi(server, known), contract: known }
  const plain = createApi(server)
  const contract = createContract((await plain.get('/api/v1/openapi.json')).body)
  plain.close()
  return { api: createApi(server, contract), contract }
}

/** Errors that say what else would be possible; they come before any operation is found. */
const OUTSIDE = new Set([404, 405])

function createContract(document: unknown): Contract {
  const root = document as Json
  const paths = Object.entries(root['paths'] as Record<string, Json>)
  const operations = operationsOf(paths)
  const validate = createValidator(root)
  const seen = new Set<string>()
  const unseen = (forOperators: boolean): string[] =>
    operations
      .filter((operation) => operation.forOperators === forOperators && !seen.has(operation.name))
      .map(({ name }) => name)
  return {
    get unseen() {
      return unseen(false)
    },
    get unseenForOperators() {
      return unseen(true)
    },
    check(method, url, answer) {
      const where = `${method} ${url.slice(0, 100)} → ${answer.status}`
      const path = url.split('?', 1)[0] ?? ''
      const template = paths.find(([each]) => matches(each, path))
      const operation = (template?.[1][method.toLowerCase()] ?? undefined) as Json | undefined
      if (template === undefined || operation === undefined) {
        if (!OUTSIDE.has(answer.status) && answer.status !== 403)
          throw new Error(`${where}: no operation documents this`)
        return validate(['components', 'schemas', 'ErrorResponse'], answer.body, where)
      }
      checkAnswer(validate, ['paths', template[0], method.toLowerCase()], operation, answer, where)
      seen.add(`${method} ${template[0]}`)
    },
  }
}

/** Throws where a value is not what the shape at a place of the document says. */
type Validate = (steps: readonly string[], value: unknown, where: string) => void

function createValidator(root: Json): Validate {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ajv.addSchema(closed(root) as Json, 'openapi')
  const validators = new Map<string, ValidateFunction>()
  return (steps, value, where) => {
    const pointer = steps.map((step) => `/${escape(step)}`).join('')
    const validator = validators.get(pointer) ?? ajv.compile({ $ref: `openapi#${pointer}` })
    validators.set(pointer, validator)
    if (validator(value)) return
    throw new Error(
      `${where} is not what the document says: ${ajv.errorsText(validator.errors)}\n${JSON.stringify(value).slice(0, 500)}`,
    )
  }
}

function operationsOf(
  paths: readonly (readonly [path: string, methods: Json])[],
): { readonly name: string; readonly forOperators: boolean }[] {
  return paths.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      forOperators: ((operation as Json)['tags'] as readonly string[]).includes('operators'),
    })),
  )
}

/** Status, headers, media type and body of one answer of an operation that stands at `steps`. */
function checkAnswer(
  validate: Validate,
  steps: readonly string[],
  operation: Json,
  { status, headers, body }: Answer,
  where: string,
): void {
  const answers = operation['responses'] as Record<string, Json>
  const answer = answers[String(status)]
  if (answer === undefined)
    throw new Error(`${where} is not documented: ${JSON.stringify(body).slice(0, 300)}`)
  if (answer['headers'] !== undefined && headers.etag === undefined) throw new Error(`${where} has no ETag`)
  const content = Object.entries((answer['content'] ?? {}) as Record<string, Json>)[0]
  if (content === undefined) return
  const [mediaType, { schema }] = content
  if (headers['content-type']?.startsWith(mediaType) !== true) {
    throw new Error(`${where} is ${headers['content-type']}, not ${mediaType}`)
  }
  const schemaOf = (code: number): string[] => [
    ...steps,
    'responses',
    String(code),
    'content',
    mediaType,
    'schema',
  ]
  if (schema !== undefined) validate(schemaOf(status), body, where)
  // A batch that failed as a whole has its usual body beside the error.
  const usual = (answers['200']?.['content'] as Json | undefined)?.[mediaType] !== undefined
  if (usual && status >= 400 && Object.keys(body as object).length > 1) validate(schemaOf(200), body, where)
}

function matches(template: string, path: string): boolean {
  // What cannot be decoded is at no path.
  if (/%(?![0-9a-f]{2})|%ff/i.test(path)) return false
  const wanted = template.split('/')
  const given = path.split('/')
  return (
    wanted.length === given.length && wanted.every((part, at) => part.startsWith('{') || part === given[at])
  )
}

/** A step of a JSON pointer within a URI fragment. */
function escape(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))
}

/**
 * The document with every object shape closed, so that an undocumented field of an answer is a fault. Only the
 * shape of errors stays open: other things may be beside them.
 */
function closed(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => closed(each))
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, closed(child, key)]))
  const shape = copy['type'] === 'object' && copy['properties'] !== undefined && name !== 'ErrorResponse'
  return shape && copy['additionalProperties'] === undefined ? { ...copy, additionalProperties: false } : copy
}
