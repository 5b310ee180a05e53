/** JSON Schema as plain data. */

/** A schema, or a part of the OpenAPI document around it. */
export type JsonSchema = Readonly<Record<string, unknown>>
