/** Bytes to what a client says, and lists to bytes, in the two forms of Eureka. Pure. */
import { parseJson } from '../http/json.js'
import { writeInstanceJson } from './json.js'
import type { Said, Shown } from './messages.js'
import { readSaid, unreadable } from './reading.js'
import { element, escapeText, parseInstanceXml, writeInstanceXml } from './xml.js'

export const FORMATS = ['json', 'xml'] as const
export type Format = (typeof FORMATS)[number]

export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json',
  xml: 'application/xml',
}

/** What the body of a registration says. Throws `malformed`. */
export function decodeInstance(bytes: Buffer, format: Format): Said {
  if (format === 'xml') return readSaid(parseInstanceXml(bytes))
  const body = parseJson(bytes)
  if (typeof body !== 'object' || body === null) throw unreadable('not an object')
  return readSaid((body as { readonly instance?: unknown }).instance)
}

/** The form of a body by its media type; undefined for others. */
export function formatOf(contentType: string | undefined): Format | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (/^application\/(?:[\w.-]+\+)?json$/.test(type)) return 'json'
  return /^(?:application|text)\/(?:[\w.-]+\+)?xml$/.test(type) ? 'xml' : undefined
}

/**
 * The form of an answer by what is accepted: XML where nothing is said, or anything will do. Undefined where neither will, which
 * Eureka's server answers with 406.
 */
export function acceptedFormat(accept: string | undefined): Format | undefined {
  if (accept === undefined || accept.trim() === '') return 'xml'
  let best: { readonly format: Format; readonly weight: number } | undefined
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const said = parameters.find((parameter) => parameter.startsWith('q='))
    const weight = said === undefined ? 1 : Number(said.slice(2)) || 0
    const format = rangeFormat(type)
    if (format !== undefined && weight > (best?.weight ?? 0)) best = { format, weight }
  }
  return best?.format
}

function rangeFormat(type: string): Format | undefined {
  if (type === 'application/json') return 'json'
  return type === 'application/xml' || type === 'application/*' || type === '*/*' ? 'xml' : undefined
}

/** Whether an answer may be compressed. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  return (acceptEncoding ?? '')
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .some((each) => /^(?:x-)?gzip(?:\s*;\s*q=(?:1|0?\.\d*[1-9]).*)?$/.test(each))
}

const WRITERS: Readonly<Record<Format, (shown: Shown) => string>> = {
  json: writeInstanceJson,
  xml: writeInstanceXml,
}

/** An instance as a member of a list. */
export function encodeListed(shown: Shown, format: Format): string {
  return WRITERS[format](shown)
}

/** An instance by itself. */
export function encodeInstance(shown: Shown, format: Format): string {
  const { begin, end } = singleFrame('instance', format)
  return begin + encodeListed(shown, format) + end
}

/** What stands before, between and after the parts of a list. */
export interface DocumentFrame {
  readonly begin: string
  readonly between: string
  readonly end: string
}

/** Of a list of applications. */
export function listFrame(
  { version, hash }: { readonly version: string; readonly hash: string },
  format: Format,
): DocumentFrame {
  if (format === 'json')
    return {
      begin: `{"applications":{"versions__delta":"${version}","apps__hashcode":"${hash}","application":[`,
      between: ',',
      end: ']}}',
    }
  return {
    begin: `<applications>${element('versions__delta', version)}${element('apps__hashcode', hash)}`,
    between: '',
    end: '</applications>',
  }
}

/** Of an application in a list. */
export function applicationFrame(name: string, format: Format): DocumentFrame {
  if (format === 'json')
    return { begin: `{"name":${JSON.stringify(name)},"instance":[`, between: ',', end: ']}' }
  return {
    begin: `<application>${element('name', escapeText(name))}`,
    between: '',
    end: '</application>',
  }
}

/** Of what is a document by itself: JSON names it. */
export function singleFrame(name: string, format: Format): DocumentFrame {
  return format === 'json' ? { begin: `{"${name}":`, between: '', end: '}' } : NO_FRAME
}

const NO_FRAME: DocumentFrame = { begin: '', between: '', end: '' }
