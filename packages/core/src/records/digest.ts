/**
 * The content digest: computed once, by the node that accepts a content, and carried with the record ever
 * after. Nothing else canonicalises, so versions of the software cannot disagree about equal contents.
 */
import { formatLanes } from '@rollcall/wire'
import { Hasher } from './hash.js'
import type { InstanceKey, LiveContent } from './record.js'

type DigestedContent = Pick<LiveContent, 'host' | 'port' | 'protocol' | 'zone' | 'metadata'>

const hasher = new Hasher()

/**
 * 16 hex digits over names, incarnation, address, protocol, zone and metadata. Not in it: what consumers
 * don't see (rev, lease, probe) and what `mix` adds to the shown digest (state, weight).
 */
export function contentDigest(key: InstanceKey, incarnation: number, content: DigestedContent): string {
  const { metadata } = content
  hasher.reset().field(key.namespace).field(key.service).field(key.group).field(key.id).integer(incarnation)
  hasher
    .field(content.host)
    .integer(content.port)
    .field(content.protocol ?? '')
    .field(content.zone ?? '')
  for (const name of Object.keys(metadata).sort()) hasher.field(name).field(metadata[name] as string)
  const { hi, lo } = hasher.digest()
  return formatLanes(hi, lo)
}
