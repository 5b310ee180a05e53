/** The packages as npm would publish them, in a folder outside the checkout; packages of others are linked into it. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../../architecture/source-files.js'

const execute = promisify(execFile)

/** How a program ended, and all it wrote. */
export interface Outcome {
  readonly code: number
  readonly output: string
}

/** A manifest as it is in a tarball. */
export interface PackedManifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Unpacks a tarball to where npm would put it below a project; resolves to its manifest. */
export async function unpack(tarball: string, project: string): Promise<PackedManifest> {
  const place = join(project, 'node_modules', '.unpacked')
  mkdirSync(place, { recursive: true })
  await execute('tar', ['-xzf', tarball, '-C', place])
  const manifest = JSON.parse(readFileSync(join(place, 'package', 'package.json'), 'utf8')) as PackedManifest
  const folder = join(project, 'node_modules', ...manifest.name.split('/'))
  mkdirSync(dirname(folder), { recursive: true })
  renameSync(join(place, 'package'), folder)
  return manifest
}

/** Makes packages that the checkout has installed available to a project. */
export function link(project: string, names: readonly string[]): void {
  for (const name of names) {
    const folder = join(project, 'node_modules', ...name.split('/'))
    if (existsSync(folder)) continue
    mkdirSync(dirname(folder), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', ...name.split('/')), folder, 'junction')
  }
}

/** A project of its own: an empty folder with a manifest of this kind. */
export function newProject(folder: string, type: 'module' | 'commonjs'): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', type }))
  return folder
}

/** Runs this Node in a project, without what the test runner has in its environment. */
export async function node(cwd: string, args: readonly string[]): Promise<Outcome> {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, ...env } = process.env
  return execute(process.execPath, args, { cwd, env, maxBuffer: 16 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      output: stdout + stderr,
    }),
  )
}
