/** CPU time of other processes, from outside: what is measured is not disturbed by measuring itself. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Whether this machine tells. */
export function cpuIsKnown(): boolean {
  try {
    return cpuMs(process.pid) >= 0
  } catch {
    return false
  }
}

/** CPU time of all threads of a process so far, user and system, in milliseconds. Throws for a process that has ended. */
export function cpuMs(pid: number): number {
  return scheduledMs(pid) ?? accountedMs(pid)
}

/** Exact to the nanosecond, where the kernel keeps it. The threads of a Node process all live as long as it does. */
function scheduledMs(pid: number): number | undefined {
  let ns = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0])
    } catch {
      return undefined
    }
  }
  return ns / 1e6
}

/** utime and stime in ticks of 10 ms, proc(5). The second field, the name in parentheses, may hold spaces. */
function accountedMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const SETTLE_STEP_MS = 100
const SETTLE_MS_MAX = 10_000
/** Below this share of a core a process counts as idle. */
const IDLE_SHARE = 0.08

/**
 * Waits until a process has finished what it does after the last answer (garbage, snapshots, probes), at most
 * 10 s, and resolves to its CPU time then. What is put off is charged like everything else.
 */
export async function settledCpuMs(pid: number): Promise<number> {
  let before = cpuMs(pid)
  for (let waitedMs = 0; waitedMs < SETTLE_MS_MAX; waitedMs += SETTLE_STEP_MS) {
    await sleep(SETTLE_STEP_MS)
    const now = cpuMs(pid)
    if (now - before < SETTLE_STEP_MS * IDLE_SHARE) return now
    before = now
  }
  return before
}
