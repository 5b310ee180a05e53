/** Which key of the engine holds what. Names cannot contain a slash, so keys cannot be confused. Pure. */
import { type Declaration, declarationKey } from '../records/declaration.js'
import type { InstanceKey } from '../records/record.js'

/** Version of the format of keys and values; nodes of another one do not join. New fields need no new version. */
export const ENGINE_FORMAT = 1

/** Under the keys of these are the nodes that the engine hears at present. */
const NODES = 'nodes/'
const RECORDS = 'records/'
const DECLARATIONS = 'declarations/'

export function nodeKey(node: string): string {
  return NODES + node
}

/** The node whose key it is; undefined for any other key. */
export function nodeOfKey(key: string): string | undefined {
  return key.startsWith(NODES) ? key.slice(NODES.length) : undefined
}

export function recordKey({ namespace, service, group, id }: InstanceKey): string {
  return `${RECORDS}${namespace}/${service}/${group}/${id}`
}

/** The instance whose key it is; undefined for any other key. */
export function instanceOfKey(key: string): InstanceKey | undefined {
  if (!key.startsWith(RECORDS)) return undefined
  const [namespace, service, group, id, ...more] = key.slice(RECORDS.length).split('/')
  if (namespace === undefined || service === undefined || group === undefined || id === undefined)
    return undefined
  return more.length > 0 ? undefined : { namespace, service, group, id }
}

export function engineKeyOf(declaration: Declaration): string {
  return DECLARATIONS + declarationKey(declaration)
}

/** The name of the declaration (`declarationKey`) whose key it is; undefined for any other key. */
export function declarationOfKey(key: string): string | undefined {
  return key.startsWith(DECLARATIONS) ? key.slice(DECLARATIONS.length) : undefined
}
