/**
 * The content digest: computed once, by the node that accepts a content, and carried with the record ever
 * after. Nothing else canonicalises, so versions of the software cannot disagree about equal contents.
 */
import { formatLanes } from '@rollcall/wire'
import { Hasher } from './hash.js'
import type { InstanceKey, LiveContent } from './record.js'

type DigestedContent = Pick<LiveContent, 'host' | 'port' | 'protocol' | 'zone' | 'metadata' | 'foreign'>

const hasher = new Hasher()

/**
 * 16 hex digits over names, incarnation, address, protocol, zone, metadata, and what another protocol said, where one did:
 * its consumers see it. Not in it: what no consumer sees (rev, lease, probe) and what `mix` adds to the shown digest (state,
 * weight).
 */
export function contentDigest(key: InstanceKey, incarnation: number, content: DigestedContent): string {
  const { metadata, foreign } = content
  hasher.reset().field(key.namespace).field(key.service).field(key.group).field(key.id).integer(incarnation)
  hasher
    .field(content.host)
    .integer(content.port)
    .field(content.protocol ?? '')
    .field(content.zone ?? '')
  for (const name of sorted(Object.keys(metadata))) hasher.field(name).field(metadata[name] as string)
  // No length of a name of metadata is as large: without it the document could pass for more metadata.
  if (foreign !== undefined)
    hasher.integer(Number.MAX_SAFE_INTEGER).field(foreign.protocol).field(foreign.document)
  const { hi, lo } = hasher.digest()
  return formatLanes(hi, lo)
}

/** Fewer names than this are sorted by insertion: `sort` allocates 800 bytes for the two or three that are common. */
const FEW_NAMES = 16

/** Sorts the names by their UTF-16 units, in place. */
function sorted(names: string[]): string[] {
  if (names.length > FEW_NAMES) return names.sort()
  for (let index = 1; index < names.length; index++) {
    const name = names[index] as string
    let at = index
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string
    names[at] = name
  }
  return names
}
