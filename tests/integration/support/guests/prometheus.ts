/** Debian's Prometheus, and promtool from the same package. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianProgram, freePort, programOnPath } from '@rollcall/testkit'
import { expect, type TestContext } from 'vitest'
import { without } from './guest.js'

/** The path of the program; a test without it is reported as not run. */
export async function findPrometheus(context: TestContext, name: 'prometheus' | 'promtool'): Promise<string> {
  return (
    programOnPath(name) ??
    (await debianProgram({ package: 'prometheus', path: `usr/bin/${name}` }).catch((error: unknown) =>
      without(context, (error as Error).message),
    ))
  )
}

/** A running Prometheus. */
export interface Prometheus {
  /** `data` of an answer of its API; throws for any answer but a success. */
  ask<T>(path: string): Promise<T>
  /** The value of each series of a query, by its label `instance`. */
  query(query: string): Promise<Record<string, string>>
  /** Active targets, by `instance`, with their health. */
  targets(): Promise<Record<string, string>>
  close(): Promise<void>
}

/** Starts it with files of a folder of its own, `prometheus.yml` among them. */
export async function startPrometheus(
  binary: string,
  files: { readonly 'prometheus.yml': string } & Readonly<Record<string, string>>,
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-prometheus-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const base = `http://127.0.0.1:${await freePort()}`
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(base).host}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk) => (said += String(chunk)))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const answers = (): Promise<number> => {
    if (child.exitCode !== null) throw new Error(said)
    return fetch(`${base}/-/ready`).then(
      ({ status }) => status,
      () => 0,
    )
  }
  try {
    await expect.poll(answers, { interval: 100 }).toBe(200)
  } catch (error) {
    await close()
    throw error
  }
  return { ...questions(base), close }
}

function questions(base: string): Omit<Prometheus, 'close'> {
  const ask = async <T>(path: string): Promise<T> => {
    const body = (await (await fetch(base + path)).json()) as { status: string; error?: string; data: T }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }
  return {
    ask,
    async query(query) {
      const { result } = await ask<{ result: { metric: { instance: string }; value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(query)}`,
      )
      return Object.fromEntries(result.map(({ metric, value }) => [metric.instance, value[1]]))
    },
    async targets() {
      const { activeTargets } = await ask<{
        activeTargets: { labels: { instance: string }; health: string }[]
      }>('/api/v1/targets?state=active')
      return Object.fromEntries(activeTargets.map(({ labels, health }) => [labels.instance, health]))
    },
  }
}
