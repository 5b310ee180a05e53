/** Parameters: what the document says of each is exactly what is read. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRegistryError } from '../../errors.js'
import { LIMITS, type Limits } from '../../limits.js'
import type { JsonSchema } from '../../shape/json-schema.js'
import { OPERATIONS, ROUTES } from '../routes/index.js'
import type { Parameter } from './parameter.js'
import { nearest, readParameters, type UrlValues } from './read.js'
import * as table from './table.js'

const ALL = Object.entries(table).filter(
  (entry): entry is [string, Parameter] => typeof entry[1] === 'object' && 'read' in entry[1],
)
const NODES: readonly Limits[] = [LIMITS, { ...LIMITS, waitMsMax: 1_500 }, { ...LIMITS, waitMsMax: 600_000 }]

/** The texts of a URL that stand for a value of the schema, by the rules of OpenAPI for `style: form`. */
function textsOf(schema: JsonSchema, repeated: boolean): fc.Arbitrary<readonly string[]> {
  if (schema['type'] !== 'array') return textOf(schema).map((text) => [text])
  const items = fc.array(textOf(schema['items'] as JsonSchema), { minLength: 1, maxLength: 4 })
  return repeated ? items : items.map((texts) => [texts.join(',')])
}

function textOf(schema: JsonSchema): fc.Arbitrary<string> {
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as string[]))
  if (schema['type'] === 'boolean') return fc.constantFrom('true', 'false')
  if (schema['type'] === 'integer') {
    return fc.integer({ min: schema['minimum'] as number, max: schema['maximum'] as number }).map(String)
  }
  const { pattern, minLength } = schema as { pattern?: string; minLength?: number }
  const texts =
    pattern === undefined
      ? fc.string({ minLength: minLength ?? 0, maxLength: 20 })
      : fc.stringMatching(new RegExp(pattern))
  return texts.filter((text) => allowsText(schema, text))
}

/** Whether the schema has the value that the texts stand for. */
function allows(schema: JsonSchema, repeated: boolean, texts: readonly string[]): boolean {
  if (schema['type'] !== 'array') return texts.length === 1 && allowsText(schema, texts[0] ?? '')
  if (!repeated && texts.length !== 1) return false
  const items = repeated ? texts : (texts[0] ?? '').split(',')
  return items.length > 0 && items.every((text) => allowsText(schema['items'] as JsonSchema, text))
}

function allowsText(schema: JsonSchema, text: string): boolean {
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[]).includes(text)
  if (schema['type'] === 'boolean') return text === 'true' || text === 'false'
  if (schema['type'] === 'integer') {
    const value = Number(text)
    const { minimum, maximum } = schema as { minimum: number; maximum: number }
    return /^[0-9]{1,16}$/.test(text) && value >= minimum && value <= maximum
  }
  const { pattern, not, minLength } = schema as {
    pattern?: string
    not?: { pattern: string }
    minLength?: number
  }
  if (not !== undefined && new RegExp(not.pattern).test(text)) return false
  return text.length >= (minLength ?? 0) && (pattern === undefined || new RegExp(pattern).test(text))
}

function reads(parameter: Parameter, texts: readonly string[], limits: Limits): boolean {
  try {
    parameter.read(texts, limits)
    return true
  } catch (error) {
    if (!isRegistryError(error)) throw error
    expect([error.code, error.field]).toEqual(['invalid_argument', parameter.name])
    return false
  }
}

const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('*', 'true', '60s', '60.0s', '60.01s', '1500ms', '1.5s', '1s', '600000ms', '05', '1e3'),
  fc.constantFrom(
    'up,down',
    'up,',
    ',',
    'a:b',
    'a:',
    'a:b:c',
    '..',
    'a:..',
    '.:a',
    '-1',
    '9007199254740993',
    '',
    ' 1',
    '1\n',
  ),
  fc.tuple(fc.nat(700_000), fc.constantFrom('', 's', 'ms', '.5s', '.')).map(([n, unit]) => `${n}${unit}`),
)

describe.each(ALL)('the parameter %s', (_, parameter) => {
  it.each(NODES)('reads whatever its schema allows', (limits) => {
    const { repeated } = parameter
    fc.assert(
      fc.property(textsOf(parameter.schema(limits), repeated), (texts) => {
        const value = parameter.read(texts, limits)
        // What was read is written such that it is read as the same again.
        expect(parameter.read(parameter.write(value), limits)).toEqual(value)
      }),
    )
  })

  it.each(NODES)('reads nothing that its schema does not allow', (limits) => {
    const { repeated } = parameter
    const schema = parameter.schema(limits)
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 2 }), (texts) => {
        expect(reads(parameter, texts, limits)).toBe(allows(schema, repeated, texts))
      }),
      { numRuns: 300 },
    )
  })
})

describe('times', () => {
  const ms = (text: string, waitMsMax = 60_000): unknown =>
    reads(table.wait, [text], { ...LIMITS, waitMsMax })
      ? table.wait.read([text], { ...LIMITS, waitMsMax })
      : 'refused'

  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5', 5_000],
    ['0', 0],
    ['1.5s', 1_500],
    ['60s', 60_000],
    ['60.000', 60_000],
    ['60000ms', 60_000],
    ['0.1234567s', 123.4567],
    ['007ms', 7],
  ])('%s are so many milliseconds', (text, expected) => {
    expect(ms(text)).toBeCloseTo(expected as number, 6)
  })

  it('are bounded by the node and nothing else', () => {
    const none = [
      '61s',
      '60001ms',
      '61',
      '60.1',
      '-1s',
      '1m',
      's',
      '1e3',
      ' 5',
      '5 s',
      '0x5',
      'Infinity',
      '.5',
    ]
    for (const text of none) expect([text, ms(text)]).toEqual([text, 'refused'])
    expect(ms('5001ms', 5_000)).toBe('refused')
    expect(ms('1200ms', 1_500)).toBe(1_200)
    expect(ms('90s', 600_000)).toBe(90_000)
  })
})

describe('reading a request', () => {
  const fault = (id: keyof typeof OPERATIONS, path: UrlValues, query: UrlValues): unknown => {
    const route = ROUTES.find((each) => each.id === id)
    try {
      return readParameters(route?.parameters ?? [], path, query, LIMITS)
    } catch (error) {
      return isRegistryError(error) ? [error.field, error.message] : error
    }
  }

  it('gives each value its type, and those left out are not there', () => {
    expect(
      fault('getService', { service: 'orders' }, { state: 'up,suspect', wait: '1.5s', namespace: 'shop' }),
    ).toEqual({ service: 'orders', state: ['up', 'suspect'], wait: 1_500, namespace: 'shop' })
    expect(fault('watch', {}, { service: ['a', 'b:core'] })).toEqual({
      service: [{ service: 'a' }, { service: 'b', group: 'core' }],
    })
    expect(fault('listEvents', {}, { follow: 'false', after: '0', kind: 'frozen' })).toEqual({
      follow: false,
      after: 0,
      kind: ['frozen'],
    })
  })

  it('names the parameter that is wrong, and says what it must be', () => {
    const path = { service: 'orders' }
    for (const [query, field, message] of [
      [{ namespace: ['a', 'b'] }, 'namespace', 'may be given only once'],
      [{ namespace: '' }, 'namespace', 'is empty'],
      [{ group: '/' }, 'group', 'must be a name'],
      [{ since: 'x' }, 'since', 'must be a sign'],
      [{ state: 'up,,down' }, 'state', 'must be some of up, starting'],
      [{ wait: '61s' }, 'wait', 'at most 60s'],
      [{ every: '601s' }, 'every', 'at most 600s'],
      [{ states: 'up' }, 'states', 'did you mean state?'],
      [{ prefix: 'a' }, 'prefix', 'there are namespace, group, state, zone, since, wait, every'],
    ] as const) {
      expect(fault('getService', path, query)).toEqual([field, expect.stringContaining(message)])
    }
    expect(fault('explain', {}, { service: 'a' })).toEqual(['id', 'id is missing'])
    expect(fault('getService', { service: 'a b' }, {})).toEqual(['service', expect.any(String)])
  })

  it('repeats little of a long name', () => {
    const [field] = fault('listFreezes', {}, { ['x'.repeat(10_000)]: '1' }) as [string]
    expect(field.length).toBeLessThan(100)
  })
})

describe('the nearest name', () => {
  it('is within two edits, whatever the case', () => {
    const known = ['namespace', 'group', 'id']
    expect(nearest('NameSpace', known)).toBe('namespace')
    expect(nearest('gruop', known)).toBe('group')
    expect(nearest('ids', known)).toBe('id')
    expect(nearest('x', known)).toBeUndefined()
    expect(nearest('colour', known)).toBeUndefined()
  })
})

describe('the route table', () => {
  it('names each parameter as its text in the URL does', () => {
    for (const [id, { parameters }] of Object.entries(OPERATIONS)) {
      for (const [name, parameter] of Object.entries(parameters)) {
        expect([id, (parameter as Parameter).name]).toEqual([id, name])
      }
    }
  })
})
