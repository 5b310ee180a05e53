/** The workspace as its manifests declare it. */
import { posix } from 'node:path'
import type { PackageManifest } from './module-graph.js'
import { exists, listFiles, read } from './source-files.js'

/** What the tests read of a package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  /** The day of that version, where the package has to know it. */
  readonly released?: string
  readonly private?: boolean
  readonly license?: string
  readonly type?: string
  readonly engines?: { readonly node?: string }
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, { readonly source: string }>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Folders with source, product and other. */
const SOURCE_FOLDERS = ['packages', 'examples', 'bench', 'tests', 'tools']

/** Every package.json of the workspace by its folder; the root is `.`. */
export function manifests(): Map<string, Manifest> {
  const paths = listFiles().filter(
    (path) => posix.basename(path) === 'package.json' && !path.includes('fixtures/'),
  )
  return new Map(paths.map((path) => [posix.dirname(path), JSON.parse(read(path)) as Manifest]))
}

/** The packages that the import rules know: all but the root. */
export function packageManifests(): PackageManifest[] {
  return [...manifests()].flatMap(([folder, manifest]) => {
    if (folder === '.') return []
    const entries = Object.entries(manifest.exports ?? {}).map(
      ([subpath, entry]) => [subpath, posix.join(folder, entry.source)] as const,
    )
    const dependencies = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ])
    return [{ name: manifest.name, folder, entries: new Map(entries), dependencies }]
  })
}

/** Text of every source module by its path. */
export function sourceTexts(): Map<string, string> {
  const paths = SOURCE_FOLDERS.filter(exists).flatMap((folder) => listFiles(folder))
  return new Map(
    paths
      .filter((path) => /\.(tsx?|mjs)$/.test(path) && !path.endsWith('.d.ts'))
      .map((path) => [path, read(path)]),
  )
}
