/** Memory of other processes, from outside: a process that is too busy to answer is measured all the same. */
import { readFileSync, writeFileSync } from 'node:fs'

/** Resident bytes of a process, and the most that they were since `forgetPeak`. Throws for one that has ended. */
export function residentBytes(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (field: string): number => {
    const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
    if (kib === undefined) throw new Error(`process ${pid} has no ${field}`)
    return Number(kib) * 1_024
  }
  return { now: of('VmRSS'), most: of('VmHWM') }
}

/** The peak starts anew from what is resident now, proc(5). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
