/** What a snapshot file holds, and when it is believed: as strictly as what a node says. */
import { createHash } from 'node:crypto'
import type { Instance, ViewName } from '@rollcall/wire'
import { signOf } from '@rollcall/wire'
import { isInstances } from './codec.js'

/** A list as it is written. */
export interface SnapshotContent {
  readonly cluster: string
  readonly namespace: string
  readonly service: string
  readonly group: string | null
  readonly sign: string
  readonly confirmedAtMs: number
  readonly instances: readonly Instance[]
}

/** The text of a file. */
export function snapshotText(content: SnapshotContent): string {
  const text = JSON.stringify(content)
  return `{"format":1,"checksum":"${checksumOf(text)}","content":${text}}`
}

/** Reads the text of a file; throws where it is none of ours, damaged, or no list that a node could have sent. */
export function snapshotContent(text: string): SnapshotContent {
  const file: unknown = JSON.parse(text)
  if (
    typeof file !== 'object' ||
    file === null ||
    !('content' in file) ||
    !('checksum' in file) ||
    !('format' in file)
  )
    throw new Error('not a snapshot')
  if (file.format !== 1) throw new Error('unknown format')
  if (checksumOf(JSON.stringify(file.content)) !== file.checksum) throw new Error('wrong checksum')
  const content = file.content as SnapshotContent
  const { namespace, service, sign, confirmedAtMs, instances } = content
  if (!Number.isSafeInteger(confirmedAtMs) || !isInstances(instances)) throw new Error('not a list')
  for (const instance of instances)
    if (instance.namespace !== namespace || instance.service !== service)
      throw new Error('a list of another service')
  if (signOf(instances) !== sign) throw new Error('wrong sign')
  return content
}

/** Whether it is the list of this view. */
export function isOf(
  { cluster, namespace, service, group }: SnapshotContent,
  of: string,
  name: ViewName,
): boolean {
  return (
    cluster === of &&
    namespace === name.namespace &&
    service === name.service &&
    group === (name.group ?? null)
  )
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
