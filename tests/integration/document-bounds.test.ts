/** What the OpenAPI document allows of a body is what a node takes, at both sides of every bound. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, startNode, type TestNode } from './native-node.fixture.js'

type Json = Readonly<Record<string, unknown>>

const ref = { namespace: 'default', service: 's', group: 'default', id: 'i', incarnation: 1 }
const signature = { by: 'ann', why: 'maintenance' }
const instance = {
  ...ref,
  host: '127.0.0.1',
  port: 80,
  protocol: 'http',
  weight: 1,
  zone: 'z',
  metadata: { a: 'b' },
  state: 'up',
  leaseMs: 5_000,
  rev: 1,
  liveness: 'lease',
}
const least = { service: 's', host: '127.0.0.1', port: 80 }
const http = {
  type: 'http',
  path: '/h',
  status: '200',
  headers: { a: 'b' },
  tls: { serverName: 'a.example' },
}

/** Whole bodies that are taken, several where fields exclude each other. */
const BODIES: readonly (readonly [method: string, path: string, body: Json])[] = [
  ['post', '/register', { namespace: 'default', instances: [{ ...instance, probe: http }] }],
  ['post', '/register', { instances: [{ ...least, probe: { type: 'http', status: 204 } }] }],
  ['post', '/register', { instances: [{ ...least, probe: { type: 'grpc', serviceName: 'a.B' } }] }],
  ['post', '/heartbeat', { namespace: 'default', instances: [ref] }],
  [
    'put',
    '/overrides',
    { namespace: 'default', instances: [ref], drain: true, durationMs: 5_000, ...signature },
  ],
  ['put', '/overrides', { instances: [ref], weight: 5 }],
  ['delete', '/overrides', { namespace: 'default', instances: [ref], ...signature }],
  ['post', '/signs', { namespace: 'default', services: [{ ...viewOf(ref), sign: '0123456789abcdef' }] }],
  [
    'put',
    '/services/{service}',
    { groups: ['g'], allow: ['10.0.0.0/8'], metadata: { a: 'b' }, removalMs: 5_000 },
  ],
  ['put', '/services/{service}', { breaker: { enabled: true, share: 0.5 } }],
  ['put', '/namespaces/{namespace}', { allow: ['10.0.0.1'] }],
  ['put', '/freeze', { namespace: 'other', ...signature }],
  ['delete', '/freeze', { namespace: 'other', ...signature }],
  [
    'post',
    '/restore',
    { namespace: 'default', service: 's', group: 'g', sinceMs: 5, ids: ['i'], ...signature },
  ],
  ['post', '/deregister', { instances: [ref], ...signature }],
  ['post', '/deregister', { namespace: 'other', host: '10.9.9.9', confirm: true, ...signature }],
]

/** Refusals that the document says in words only. */
const IN_WORDS = [
  /^incarnation \d+ is more than a year ahead/,
  /must have at most 8192 bytes, keys and values together/,
  /^host \S+ is (?:where you listen|a \w+ address)/,
  /^drain or disable or weight must be given/,
  // A deregistration has either instances or a host, and all namespaces only with a host.
  /^instances (?:is missing|must be an array)/,
]

/** What is taken beyond the document, and need not be known: brackets around the host of a removal. */
const BEYOND = new Set(['/host = "[::1]"'])

function viewOf({ namespace, service, group }: typeof ref): Json {
  return { namespace, service, group }
}

let node: TestNode
let paths: Readonly<Record<string, Json>>
const ajv = new Ajv2020({ strict: false })
beforeAll(async () => {
  node = await startNode({ closeMsMax: 200 })
  const document = (await call(node, 'GET', '/api/v1/openapi.json')).body as unknown as Json
  paths = document['paths'] as Record<string, Json>
  ajv.addSchema(document, 'openapi')
})
afterAll(() => node.close())

/** Texts of every form, and the bounds of lengths. */
const TEXTS = [
  '',
  'a',
  'a b',
  '..',
  '*',
  'ä',
  '/',
  '/a b',
  '[::1]',
  '::1',
  '1.2.3.4/33',
  '::/129',
  'a.1',
  '199',
  '200-299,401',
]
const LENGTHS = [64, 128, 129, 256, 257, 320, 321, 1_024, 1_025]
const DOTTED = 'abcdefghi.'.repeat(26)
const NUMBERS = [-1, 0, 0.5, 1, 2, 199, 200, 599, 600, 999, 1_000, 65_535, 65_536, 86_400_000, 86_400_001]
const LARGE = [2 ** 31, 2 ** 31 + 1, 2_678_400_000, 2_678_400_001, Number.MAX_SAFE_INTEGER, 2 ** 53]

/** What stands in place of a value of a body that is right. */
function othersOf(value: unknown): readonly unknown[] {
  if (typeof value === 'number') return [...NUMBERS, ...LARGE, null]
  if (typeof value === 'string') {
    const long = LENGTHS.map((length) => 'a'.repeat(length))
    const hosts = [253, 254].map((length) => DOTTED.slice(0, length))
    const routes = [1_024, 1_025].map((length) => '/'.repeat(length))
    return [...TEXTS, ...long, ...hosts, ...routes, null]
  }
  if (Array.isArray(value)) {
    const counts = typeof value[0] === 'string' ? [0, 1_000, 1_001] : [0]
    return [...counts.map((count) => Array.from({ length: count }, () => value[0] as unknown)), null]
  }
  if (typeof value !== 'object' || Object.values(value ?? {})[0] !== 'b') return [null]
  const counted = [0, 16, 17, 64, 65].map((count) =>
    Object.fromEntries(Array.from({ length: count }, (_, each) => [`k${each}`, ''])),
  )
  const keyed = ['', 'a'.repeat(128), 'a'.repeat(129)].map((key) => ({ [key]: '' }))
  return [...counted, ...keyed, null]
}

interface Variant {
  /** Where the one value is that was replaced, and by what. */
  readonly what: string
  readonly body: unknown
}

/** The body with one value replaced, in turn for each of its values. */
function variantsOf(value: unknown, at = ''): Variant[] {
  const own = othersOf(value).map((other) => ({ what: `${at} = ${shown(other)}`, body: other }))
  if (typeof value !== 'object' || value === null) return own
  const inner = Object.entries(value).flatMap(([name, each]) =>
    variantsOf(each, `${at}/${name}`).map(({ what, body }) => ({
      what,
      body: Array.isArray(value) ? value.with(Number(name), body) : { ...value, [name]: body },
    })),
  )
  return [...own, ...inner]
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= 40 ? text : `${text.slice(0, 40)}… (${text.length})`
}

const REFUSALS = new Set(['invalid_argument', 'malformed', 'batch_too_large'])

it.each(BODIES)('%s %s', async (method, path, body) => {
  const template = `/api/v1${path}`
  const pointer = `openapi#/paths/${encodeURIComponent(template.replaceAll('/', '~1'))}/${method}/requestBody/content/application~1json/schema`
  expect(paths[template]).toHaveProperty(method)
  const allows = ajv.compile({ $ref: pointer })
  const url = template.replace('{service}', 'declared').replace('{namespace}', 'declared')
  const verdicts = { taken: 0, refused: 0 }
  const wrong: unknown[] = []
  expect(allows(body)).toBe(true)
  for (const { what, body: variant } of variantsOf(body)) {
    const { error } = (await call(node, method.toUpperCase(), url, variant)).body
    const refused = REFUSALS.has(error?.code)
    if (refused && IN_WORDS.some((form) => form.test(error.message))) continue
    verdicts[refused ? 'refused' : 'taken']++
    if (allows(variant) === refused && !BEYOND.has(what))
      wrong.push([what, refused ? error.message : 'taken'])
  }
  expect(wrong).toEqual([])
  expect(verdicts.taken).toBeGreaterThan(0)
  expect(verdicts.refused).toBeGreaterThan(10)
})
