/**
 * Records, declarations and nodes as the engine holds them: JSON. What comes from there is checked before it is believed. Members
 * that this release does not know are kept as they are, so that nodes of two releases can work on one record.
 */
import { isHost } from '@rollcall/wire'
import { type Declaration, declarationKey } from '../records/declaration.js'
import type { InstanceKey, StoredRecord } from '../records/record.js'
import { isDeclaration, isInteger, isObject, isStoredRecord, isText } from './checks.js'
import { recordKey } from './layout.js'
import type { PeerNode } from './peers.js'

export function encodeRecord(record: StoredRecord): string {
  return JSON.stringify(record)
}

/**
 * Whether a text that this release cannot read is a record of the instance all the same: a later one wrote it, with a word that
 * is not known here.
 */
export function isRecordOfLaterRelease(key: InstanceKey, text: string): boolean {
  const value = parse(text)
  if (!isObject(value) || !isObject(value['content']) || !isObject(value['verdict'])) return false
  const { namespace, service, group, id } = value
  return namespace === key.namespace && service === key.service && group === key.group && id === key.id
}

/** The record of an instance; undefined where the text is none. */
export function decodeRecord(key: InstanceKey, text: string): StoredRecord | undefined {
  const value = parse(text)
  return isStoredRecord(value) && recordKey(value) === recordKey(key) ? value : undefined
}

export function encodeDeclaration(declaration: Declaration): string {
  return JSON.stringify(declaration)
}

/** The declaration of a name; undefined where the text is none. */
export function decodeDeclaration(name: string, text: string): Declaration | undefined {
  const value = parse(text)
  return isDeclaration(value) && declarationKey(value) === name ? value : undefined
}

export function encodeNode(node: PeerNode): string {
  return JSON.stringify(node)
}

/** The node of an id; undefined where the text is none. Nodes dial its address, and clients are told of it. */
export function decodeNode(id: string, text: string): PeerNode | undefined {
  const value = parse(text)
  if (!isObject(value)) return undefined
  const { node, name, address, version } = value
  if (node !== id || id.length > NODE_TEXT_MAX || !isHostPort(address)) return undefined
  if (!isText(version) || version.length > NODE_TEXT_MAX) return undefined
  return { node: id, address, version, ...(isNodeName(name) ? { name } : {}) }
}

/** Longer ids and versions of nodes are none: they stand in each line about them. */
const NODE_TEXT_MAX = 256

function isNodeName(value: unknown): value is string {
  return isText(value) && /^[A-Za-z0-9._-]{1,128}$/.test(value)
}

function isHostPort(value: unknown): value is string {
  const match = isText(value) ? /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) : null
  if (match === null) return false
  const [, bracketed, plain = '', digits] = match
  const isHostThere = bracketed === undefined ? isHost(plain) : bracketed.includes(':') && isHost(bracketed)
  return isHostThere && isInteger(Number(digits), 1, 65_535)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
