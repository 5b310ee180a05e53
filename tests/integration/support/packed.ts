/** What `npm run pack` made, unpacked into a root of its own, and the commands that run in it. */
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** How a command ended, and all that it wrote. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command under way. */
export interface Running {
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  readonly ended: Promise<Ended>
}

/** Starts a program by its path with this environment and no other: no PATH, no HOME, no variable of the test. */
export function launch(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = '/',
): Running {
  const child = spawn(path, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return { process: child, ended }
}

/** Waits until a node answers that it is ready; rejects with what its process wrote when that ends before. */
export async function ready(node: Running, url: string): Promise<void> {
  let over: Ended | undefined
  void node.ended.then((ended) => (over = ended))
  for (;;) {
    const isReady = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    if (over !== undefined) throw new Error(`it ended before it was ready: ${JSON.stringify(over)}`)
    await sleep(20)
  }
}

/** Sends SIGTERM; resolves to how the process ended and after how long. */
export async function terminate(node: Running): Promise<Ended & { readonly seconds: number }> {
  const startedAt = performance.now()
  node.process.kill('SIGTERM')
  const ended = await node.ended
  return { ...ended, seconds: (performance.now() - startedAt) / 1_000 }
}

/** Copies the shared libraries that a program is linked with to where they are, below another root. */
export async function copyLibraries(program: string, root: string): Promise<void> {
  const { stdout } = await execute('ldd', [program])
  for (const [path] of stdout.matchAll(/\/\S+/g)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    cpSync(path, join(root, path), { dereference: true })
  }
}

/** The value of a key that a unit gives once. */
export function valueOf(unit: string, key: string): string {
  const values = [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
  if (values.length !== 1) throw new Error(`${key} stands in the unit ${values.length} times`)
  return values[0] ?? ''
}

/** The variables of an EnvironmentFile. */
export function environmentOf(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]))
}

/** Makes a folder below a root, owned by a user as systemd makes a StateDirectory. */
export function makeStateDirectory(root: string, path: string, user: number, group: number): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  mkdirSync(join(root, path), { mode: 0o750 })
  chownSync(join(root, path), user, group)
}

/** Mounts what a process finds under /proc on any system, for itself alone, and becomes the words of a user in a root. */
const IN_ROOT =
  'mount=$0 chroot=$1 root=$2 user=$3; shift 3; "$mount" -t proc proc "$root/proc" && exec "$chroot" --userspec="$user" "$root" "$@"'

/** The command that runs `words` in a root as `user:group`. Its process is theirs in the end. `path` finds a program. */
export function inRoot(
  root: string,
  user: string,
  words: readonly string[],
  path: (name: string) => string,
): string[] {
  mkdirSync(join(root, 'proc'), { recursive: true })
  const shell = [path('sh'), '-c', IN_ROOT, path('mount'), path('chroot'), root, user]
  return [path('unshare'), '--mount', '--propagation', 'private', ...shell, ...words]
}
