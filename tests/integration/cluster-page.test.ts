/** What docs/operating/cluster.md tells a person to type starts three nodes on a real etcd, and shows them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { freePort } from '@rollcall/testkit'
import type { ClusterResponse, View } from '@rollcall/wire'
import { expect, it, onTestFinished } from 'vitest'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'

const PAGE = readFileSync('docs/operating/cluster.md', 'utf8')

/** The commands of a chapter. */
function commandsOf(chapter: string): string {
  const text = PAGE.split(`\n## ${chapter}\n`)[1] ?? expect.fail(chapter)
  return /^```sh\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? expect.fail(`no commands: ${chapter}`)
}

it(
  'the commands start three nodes that know each other',
  async (context) => {
    const program = await findEtcd(context, 'debian')
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-cluster-page-'))
    const [client = 0, peer = 0, ...nodes] = await Promise.all(Array.from({ length: 5 }, () => freePort()))
    // The same program on free ports; the page has those that it takes by default.
    const own = [
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
    ]
    writeFileSync(join(folder, 'etcd'), `#!/bin/sh\nexec '${program}' "$@" ${own.join(' ')}\n`)
    chmodSync(join(folder, 'etcd'), 0o755)
    const port = (n: number): number => nodes[n - 1] ?? expect.fail(`port ${n}`)
    const commands = commandsOf('Start three nodes')
      .replaceAll('127.0.0.1:2379', `127.0.0.1:${client}`)
      .replaceAll('127.0.0.1:740$n', '127.0.0.1:$(eval echo "\\$P$n")')
      .replaceAll(/127\.0\.0\.1:740([123])/g, (_whole, n: string) => `127.0.0.1:${port(Number(n))}`)
      .replaceAll(/--port 740([123])/g, (_whole, n: string) => `--port ${port(Number(n))}`)
    expect(commands).not.toMatch(/\b(2379|740\d)\b/)
    const env = {
      ...process.env,
      PATH: [folder, resolve('node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter),
      NO_COLOR: '1',
      ...Object.fromEntries([1, 2, 3].map((n) => [`P${n}`, String(port(n))])),
    }
    // A group of its own, so that what goes on in the background ends with the test.
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', commands], { cwd: folder, env, detached: true })
    onTestFinished(() => {
      if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    })
    let said = ''
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(shell, 'close')) as [number | null]
    expect([code, said]).toEqual([0, expect.stringContaining('registered orders/default a')])
    expect(said).toMatch(/^node-1 +127\.0\.0\.1:\d+ +ready/m)
    expect(said).toMatch(/^engine +etcd .*, connected$/m)

    const ask = async <T>(n: number, path: string): Promise<T> =>
      (await (await fetch(`http://127.0.0.1:${port(n)}${path}`)).json()) as T
    for (const n of [1, 2, 3]) {
      await expect
        .poll(
          async () =>
            (await ask<ClusterResponse>(n, '/api/v1/cluster')).nodes
              .map(({ name = '' }) => name)
              .toSorted((a, b) => (a < b ? -1 : 1)),
          {
            timeout: 30_000,
          },
        )
        .toEqual(['node-1', 'node-2', 'node-3'])
      await expect
        .poll(
          async () => (await ask<Partial<View>>(n, '/api/v1/services/orders')).instances?.map(({ id }) => id),
          {
            timeout: 30_000,
          },
        )
        .toEqual(['a'])
    }
  },
  ETCD_MS_MAX,
)
