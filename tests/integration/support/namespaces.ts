/** Users and networks of their own for a child, as containers have them. Linux only. */
import { spawnSync } from 'node:child_process'

/** Runs a program as a user whom no file of this machine knows, with nothing but this in its environment. */
export function asStranger(environment: Readonly<Record<string, string>> = {}): readonly string[] {
  const variables = Object.entries({ PATH: process.env['PATH'] ?? '', ...environment })
  const user = ['unshare', '--user', '--map-user=12345', '--map-group=12345']
  return [...user, 'env', '-i', ...variables.map(([name, value]) => `${name}=${value}`)]
}

/** Runs a program where no network is: nothing can be sent. */
export const WITHOUT_NETWORK: readonly string[] = ['unshare', '--net', '--map-root-user']

/** Runs a program as process 1, as the entry point of a container is. */
export const AS_PROCESS_1: readonly string[] = [
  ...['unshare', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'],
]

/** Why a command like these cannot be had; undefined where it can. */
export function missing(command: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command[0]!, [...command.slice(1), 'true'], {
    encoding: 'utf8',
  })
  if (error !== undefined) return error.message
  return status === 0 ? undefined : stderr.trim()
}
