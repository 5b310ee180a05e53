/** The workspace as its manifests declare it. */
import { posix } from 'node:path'
import type { PackageManifest } from './module-graph.js'
import { exists, listFiles, read } from './source-files.js'

/** Conditions of an entry, as far as the tests read them. */
interface Sourced {
  readonly '@rollcall/source': string
}

/** What the tests read of a package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  /** The day of that version, where the package has to know it. */
  readonly released?: string
  readonly private?: boolean
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly author?: string
  readonly homepage?: string
  readonly repository?: { readonly url: string; readonly directory?: string }
  readonly bugs?: { readonly url: string }
  readonly files?: readonly string[]
  readonly license?: string
  readonly type?: string
  readonly engines?: { readonly node?: string }
  readonly bin?: Readonly<Record<string, string>>
  /** A text for what is not built from a source, such as the manifest itself. */
  readonly exports?: Readonly<Record<string, string | Sourced>>
  /** Of the root: what tests and tools may import beside the entries of packages. */
  readonly imports?: Readonly<Record<string, Sourced>>
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
  const all = manifests()
  const internals = Object.entries(all.get('.')?.imports ?? {})
  return [...all].flatMap(([folder, manifest]) => {
    if (folder === '.') return []
    const entries = Object.entries(manifest.exports ?? {}).flatMap(([subpath, entry]) =>
      typeof entry === 'string' ? [] : [[subpath, posix.join(folder, entry['@rollcall/source'])] as const],
    )
    for (const [specifier, entry] of internals) {
      const source = posix.join(entry['@rollcall/source'])
      if (source.startsWith(`${folder}/`)) entries.push([specifier, source])
    }
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
