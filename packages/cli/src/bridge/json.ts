/** Reading of what another registry answers: nothing is taken for granted. */
import { RegistryError } from '@rollcall/wire'

export type Json = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object member, a list, or one element instead of a list. */
export function listIn(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function portOf(value: unknown): number | undefined {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined
}

/** Scalars as texts, everything else dropped. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  const texts: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [key, each] of Object.entries(value))
    if (typeof each === 'string' || typeof each === 'number' || typeof each === 'boolean')
      texts[key] = String(each)
  return { ...texts }
}

/** The document of an answer. Rejects what is none with `protocol`, and a hint at the usual mistake. */
export function parseAnswer(text: string, hint: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RegistryError('protocol', hint)
  }
}
