/** Which etcd tests run: Debian's, and a current one, built from the sources that the Go module proxy serves. */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { debianProgram, guestsCache, programOnPath } from '../guest-program.js'

const run = promisify(execFile)

/** Three lines that call the server's main, with its modules pinned. Found from `src` and from `dist`. */
const SOURCES = fileURLToPath(new URL('../../etcd-current', import.meta.url))
/** Modules and a build, over a slow line on a busy machine. It takes 50 s on two cores. */
const BUILD_MS_MAX = 600_000

/** `debian`: from the PATH, else from Debian's archive (3.4). `current`: built from its modules (3.6); needs Go. */
export type EtcdVersion = 'debian' | 'current'

/**
 * The path of the program, made where it is not there yet. Rejects with the reason where it cannot be had. `fetching` is told
 * the package of Debian before it is fetched.
 */
export async function etcdProgram(version: EtcdVersion, fetching?: (name: string) => void): Promise<string> {
  if (version === 'current') return buildCurrent()
  try {
    return (
      programOnPath('etcd') ??
      (await debianProgram({ package: 'etcd-server', path: 'usr/bin/etcd' }, fetching))
    )
  } catch (cause) {
    throw new Error(
      `${(cause as Error).message}; an etcd on the PATH would do (https://etcd.io/docs/latest/install)`,
      {
        cause,
      },
    )
  }
}

async function buildCurrent(): Promise<string> {
  const [, number = ''] =
    /go\.etcd\.io\/etcd\/server\/v3 v(\S+)/.exec(readFileSync(join(SOURCES, 'go.mod'), 'utf8')) ?? []
  const folder = join(guestsCache(), 'etcd', number)
  const binary = join(folder, 'etcd')
  if (existsSync(binary)) return binary
  if (programOnPath('go') === undefined)
    throw new Error(`etcd ${number} is built from its modules, and there is no go on the PATH`)
  mkdirSync(join(folder, '..'), { recursive: true })
  const work = mkdtempSync(join(folder, '..', '.building-'))
  try {
    cpSync(SOURCES, work, { recursive: true })
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' }
    await run('go', ['build', '-buildvcs=false', '-trimpath', '-ldflags=-s -w', '-o', 'etcd', '.'], {
      cwd: work,
      env,
      timeout: BUILD_MS_MAX,
    })
    renameSync(work, folder)
  } catch (cause) {
    // Another process may have been faster; its program is as good.
    if (existsSync(binary)) return binary
    throw new Error(`etcd ${number} cannot be built: ${(cause as Error).message}`, { cause })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return binary
}
