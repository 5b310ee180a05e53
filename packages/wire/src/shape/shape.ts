/**
 * Descriptions of JSON values, as data. From one description come the check of a request with the place of its fault
 * and its unknown fields (`reader.ts`), the check of what a node sends (`predicate.ts`) and the JSON schema
 * (`json-schema.ts`). The types are the interfaces of the contract: a description that forgets a field, has one too
 * many, or another type for one, does not compile.
 */
import type { Limits } from '../limits.js'

/** A bound: a number, or the limit of that name, which a node may configure. */
export type Bound = number | keyof Limits

/** What the JSON schema says beside the type. */
export interface Notes {
  readonly description?: string
  /** What absence stands for; scalars only. The schema says it in words. */
  readonly default?: string | number | boolean
}

/** Bounds of a number. The reader leaves them to the core, whose errors say more; answers are held against them. */
interface NumberNotes extends Notes {
  readonly minimum?: Bound
  readonly maximum?: Bound
}

interface ListNotes extends Notes {
  readonly maxItems?: Bound
}

interface PairsNotes extends Notes {
  readonly maxProperties?: Bound
  readonly keys?: TextBounds
  readonly values?: TextBounds
}

interface TextBounds {
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
}

interface TextNotes extends Notes, TextBounds {
  readonly not?: { readonly pattern: string }
}

/** Any description; what it describes is in `Shape<T>`. */
export type AnyShape =
  | { readonly kind: 'text'; readonly notes: TextNotes }
  | { readonly kind: 'sign'; readonly notes: Notes }
  | { readonly kind: 'integer' | 'number'; readonly notes: NumberNotes }
  | { readonly kind: 'boolean'; readonly notes: Notes }
  | { readonly kind: 'literal'; readonly value: string | boolean; readonly notes: Notes }
  | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly notes: Notes }
  | {
      readonly kind: 'list'
      readonly item: AnyShape
      readonly notes: ListNotes
    }
  | { readonly kind: 'pairs'; readonly notes: PairsNotes }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, AnyField>>; readonly notes: Notes }
  | { readonly kind: 'union'; readonly options: readonly AnyShape[]; readonly notes: Notes }
  | { readonly kind: 'any' | 'anyObject'; readonly notes: Notes }

/** A description as a field of an object. */
export type AnyField = AnyShape | { readonly kind: 'optional'; readonly shape: AnyShape }

/** Only in types: what a description describes, neither more nor less. */
declare const describes: unique symbol

/** The description of a T. */
export type Shape<T> = AnyShape & { readonly [describes]?: (value: T) => T }

/** A field that may be absent. */
export interface OptionalField<T> {
  readonly kind: 'optional'
  readonly shape: Shape<T>
}

/** One description for each field of T. */
export type Fields<T> = {
  readonly [Name in keyof T]-?: object extends Pick<T, Name>
    ? OptionalField<Exclude<T[Name], undefined>>
    : Shape<T[Name]>
}

/** A string. Pattern and length are notes, but what a node sends is held against `maxLength`. */
export function text(notes: TextNotes = {}): Shape<string> {
  return { kind: 'text', notes }
}

/** A sign or digest: 16 lower-case hex digits. */
export const sign: Shape<string> = { kind: 'sign', notes: {} }

/** A whole number that is exact. */
export function integer(notes: NumberNotes = {}): Shape<number> {
  return { kind: 'integer', notes }
}

/** A whole number from 0 on. */
export function count(description?: string): Shape<number> {
  return integer(description === undefined ? { minimum: 0 } : { minimum: 0, description })
}

/** A number. */
export function number(notes: NumberNotes = {}): Shape<number> {
  return { kind: 'number', notes }
}

/** True or false. */
export function boolean(notes: Notes = {}): Shape<boolean> {
  return { kind: 'boolean', notes }
}

/** This value and no other. */
export function literal<const T extends string | boolean>(value: T, notes: Notes = {}): Shape<T> {
  return { kind: 'literal', value, notes }
}

/** One of these words. */
export function choice<const T extends string>(choices: readonly T[], notes: Notes = {}): Shape<T> {
  return { kind: 'choice', choices, notes }
}

/** A list of these. */
export function list<T>(item: Shape<T>, notes: ListNotes = {}): Shape<readonly T[]> {
  return { kind: 'list', item, notes }
}

/** An object whose values are strings. `__proto__` is refused as a key: it would not survive the next copy. */
export function pairs(notes: PairsNotes = {}): Shape<Readonly<Record<string, string>>> {
  return { kind: 'pairs', notes }
}

/** An object with these fields. Others are ignored, and a reader names them. */
export function object<T extends object>(fields: Fields<T>, notes: Notes = {}): Shape<T> {
  return { kind: 'object', fields, notes }
}

/** One of several; at most one of them is an object without a literal that tells it apart. */
export function union<A, B>(a: Shape<A>, b: Shape<B>, notes: Notes = {}): Shape<A | B> {
  return { kind: 'union', options: [a, b], notes }
}

/** Any JSON value. */
export const any: Shape<unknown> = { kind: 'any', notes: {} }

/** Any JSON object. */
export const anyObject: Shape<Readonly<Record<string, unknown>>> = { kind: 'anyObject', notes: {} }

/** Absent, or this. */
export function optional<T>(shape: Shape<T>): OptionalField<T> {
  return { kind: 'optional', shape }
}

/** The fields of an object's description. */
export function fieldsOf(shape: AnyShape): Readonly<Record<string, AnyField>> {
  if (shape.kind !== 'object') throw new Error(`a ${shape.kind} has no fields`)
  return shape.fields
}

/** The number that a bound is where these limits hold. */
export function boundOf(bound: Bound, limits: Limits): number {
  return typeof bound === 'number' ? bound : limits[bound]
}
