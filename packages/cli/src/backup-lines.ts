/** What a backup holds, in words. */
import type { BackupContent } from '@rollcall/storage'

/** Such as `214 instances, 3 removed ones remembered, 1 override, 2 settings or freezes`. */
export function contentLine({ instances, removed, overrides, declarations }: BackupContent): string {
  return [
    counted(instances, 'instance'),
    `${removed} removed remembered`,
    counted(overrides, 'override'),
    counted(declarations, 'declaration'),
  ].join(', ')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
