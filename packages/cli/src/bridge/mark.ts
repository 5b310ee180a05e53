/**
 * The origin mark: metadata of what a bridge put into a registry. It is stored with the instance, so it survives restarts of the
 * bridge and of both registries. What has a mark is never mirrored, by any bridge: there are no loops.
 */
import { createHash } from 'node:crypto'
import type { BridgedEndpoint, MirroredInstance, SeenInstance } from './records.js'

/** Key of the metadata; all registries allow these characters. */
export const MARK_KEY = 'rollcall-bridge'

export interface Mark {
  /** The kind of registry it comes from. */
  readonly from: string
  /** Name of the bridge that mirrors it. */
  readonly bridge: string
  /** Digest of what it put there. */
  readonly digest: string
}

/** Names of bridges: no separator of a mark in them. */
export const BRIDGE_PATTERN: RegExp = /^[A-Za-z0-9._:-]{1,100}$/

export function writeMark({ from, bridge, digest }: Mark): string {
  return `${from};${bridge};${digest}`
}

/** The mark of metadata; one that this version cannot read is a mark too, of no bridge. */
export function readMark(metadata: Readonly<Record<string, string>>): Mark | undefined {
  const text = metadata[MARK_KEY]
  if (text === undefined) return undefined
  const [from = '', bridge = '', digest = ''] = text.split(';')
  return { from, bridge, digest }
}

/** Metadata without the mark. */
export function unmarked(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!Object.hasOwn(metadata, MARK_KEY)) return metadata
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== MARK_KEY))
}

/** Metadata with the mark, as it is stored. */
export function marked({ metadata, mark }: MirroredInstance): Readonly<Record<string, string>> {
  return { ...metadata, [MARK_KEY]: writeMark(mark) }
}

/** What people read of an id, which the hash makes unique; registries allow more. */
const HEAD_MAX = 200

/** The mirror of an instance. */
export function mirrorOf(seen: SeenInstance, from: string, bridge: string): MirroredInstance {
  const { id, aliases: _aliases, mark: _mark, ...endpoint } = seen
  const hash = hashOf([from, bridge, seen.service, seen.group ?? '', id])
  const head = `${seen.service}:${seen.host}:${seen.port}`.replaceAll(/[^A-Za-z0-9._:-]/g, '-')
  return {
    ...endpoint,
    id: `${head.slice(0, HEAD_MAX)}:${hash}`,
    mark: { from, bridge, digest: digestOf(endpoint) },
  }
}

/** The mirror that an earlier bridge left: told by the registry that holds it. */
export function mirrorLeft(seen: SeenInstance, mark: Mark): MirroredInstance {
  const { aliases: _aliases, ...rest } = seen
  return { ...rest, standing: seen.standing === 'lost' ? 'up' : seen.standing, mark }
}

function digestOf(endpoint: BridgedEndpoint): string {
  const { service, group, host, port, protocol, weight, zone, tags, metadata, standing } = endpoint
  const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  return hashOf([service, group, host, port, protocol, weight, zone, tags, pairs, standing])
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}
