/** Every published package as the tarball that npm would publish. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../prepare.mjs'
import { output } from './programs.mjs'

/** Packs all packages that are not private into a folder; resolves to the paths, sorted. */
export async function makeTarballs(folder) {
  const workspaces = publishedFolders().flatMap((path) => ['--workspace', path])
  const args = ['pack', '--json', '--pack-destination', folder, ...workspaces]
  const packed = JSON.parse(await npm(args))
  return packed.map(({ filename }) => join(folder, filename)).toSorted()
}

function publishedFolders() {
  return readdirSync(join(ROOT, 'packages'))
    .map((name) => `packages/${name}`)
    .filter((path) => JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')).private !== true)
    .toSorted()
}

/** The npm that runs us, if one does, else the one on the path. */
function npm(args) {
  const self = process.env.npm_execpath
  if (self?.endsWith('.js')) return output(process.execPath, [self, ...args])
  return output('npm', args, { shell: process.platform === 'win32' })
}
