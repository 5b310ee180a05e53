/** The messages of the stream as a JSON schema (2020-12), which OpenAPI has no place for. */
import { jsonSchemaOf, type JsonSchema } from '../shape/json-schema.js'
import type { AnyShape } from '../shape/shape.js'
import { clientMessages, serverMessages } from '../shapes/messages.js'
import { allWithin, COMPONENTS } from './components.js'
import { takingNull } from './nullable.js'

const reference = (name: string): string => `#/$defs/${name}`
const REFERENCES = new Map(Object.entries(COMPONENTS).map(([name, shape]) => [shape, reference(name)]))

/**
 * Builds the schema: of a message of either side, with `ClientMessage`, `ServerMessage` and each message by itself (such as
 * `ClientHello`, `ServerWelcome`) among its `$defs`. The result is plain JSON data and belongs to the caller.
 */
export function streamSchema(): JsonSchema {
  const client = messagesOf('Client', clientMessages)
  const server = messagesOf('Server', serverMessages)
  const sides = { ClientMessage: oneOf(client), ServerMessage: oneOf(server) }
  const asked = Object.entries(client).map(([name, schema]) => [name, takingNull(schema)])
  const sent = allWithin(Object.values(clientMessages))
  const components = Object.entries(COMPONENTS).map(([name, shape]) => {
    const schema = schemaOf(shape)
    return [name, sent.has(shape) ? takingNull(schema) : schema] as const
  })
  const all = { ...sides, ...Object.fromEntries(asked), ...server }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Messages of the stream rollcall.v1',
    description: 'One message per text frame; docs/protocol.md says when each is sent.',
    anyOf: Object.keys(sides).map((name) => ({ $ref: reference(name) })),
    $defs: { ...all, ...Object.fromEntries(usedBy(all, new Map(components))) },
  }
}

function schemaOf(shape: AnyShape): JsonSchema {
  return jsonSchemaOf(shape, (each) => REFERENCES.get(each))
}

function messagesOf(side: string, shapes: Readonly<Record<string, AnyShape>>): Record<string, JsonSchema> {
  const entries = Object.entries(shapes).map(([type, shape]) => [
    `${side}${type.charAt(0).toUpperCase()}${type.slice(1)}`,
    schemaOf(shape),
  ])
  return Object.fromEntries(entries) as Record<string, JsonSchema>
}

function oneOf(schemas: object): JsonSchema {
  return { oneOf: Object.keys(schemas).map((name) => ({ $ref: reference(name) })) }
}

/** The components that a schema refers to, and those that they refer to. */
function usedBy(schema: unknown, components: ReadonlyMap<string, JsonSchema>): Map<string, JsonSchema> {
  const used = new Map<string, JsonSchema>()
  const visit = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/\$defs\/(\w+)"/g)) {
      const component = components.get(name)
      if (component === undefined || used.has(name)) continue
      used.set(name, component)
      visit(component)
    }
  }
  visit(schema)
  return used
}
