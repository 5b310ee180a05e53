/** The import graph, parsed from the sources: every way in which one module can name another. */
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { parseModule, type ParsedModule } from './parse-module.js'

/** One naming of a module by another. */
export interface Import {
  readonly from: string
  readonly specifier: string
  readonly line: number
  /** Only types are used; nothing is left of it in the built file. */
  readonly typeOnly: boolean
  readonly names: ParsedModule['references'][number]['names']
  readonly target: Target
}

/** What a specifier leads to. */
export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'package'
      readonly name: string
      readonly subpath: string
      readonly path: string | undefined
    }
  | { readonly kind: 'external'; readonly name: string }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'unresolved' }
  | { readonly kind: 'computed' }

/** A package of ours as its manifest declares it. */
export interface PackageManifest {
  readonly name: string
  /** Folder, such as `packages/core`. */
  readonly folder: string
  /**
   * Declared subpaths (`.`, `./schemas`) with the source file of each; and what the root manifest offers of it to tests
   * and tools, such as `#core/internal`.
   */
  readonly entries: ReadonlyMap<string, string>
  /** Runtime dependencies, peers included. */
  readonly dependencies: ReadonlySet<string>
}

/** A parsed module with its references resolved. */
export interface Module extends Omit<ParsedModule, 'references'> {
  readonly path: string
  readonly imports: readonly Import[]
}

/** All modules by path, with the packages they belong to. */
export interface ModuleGraph {
  readonly modules: ReadonlyMap<string, Module>
  readonly packages: readonly PackageManifest[]
}

/** The package whose folder holds the path, if any does. */
export function packageOf(graph: ModuleGraph, path: string): PackageManifest | undefined {
  return graph.packages.find((candidate) => path.startsWith(`${candidate.folder}/`))
}

/** Parses sources (path → text) into a graph, or adds them to one. Pure: planted files are treated like real ones. */
export function buildGraph(
  sources: ReadonlyMap<string, string>,
  packages: readonly PackageManifest[],
  base: ReadonlyMap<string, Module> = new Map(),
): ModuleGraph {
  const modules = new Map(base)
  const known = (path: string): boolean => sources.has(path) || base.has(path)
  for (const [path, text] of sources) {
    const parsed = parseModule(path, text)
    const imports = parsed.references.map(({ specifier, line, typeOnly, names }): Import => {
      const target: Target =
        specifier === undefined ? { kind: 'computed' } : resolve(path, specifier, known, packages)
      return { from: path, specifier: specifier ?? '(computed)', line, typeOnly, names, target }
    })
    modules.set(path, { ...parsed, path, imports })
  }
  return { modules, packages }
}

const BUILTINS = new Set(builtinModules)

function resolve(
  from: string,
  specifier: string,
  known: (path: string) => boolean,
  packages: readonly PackageManifest[],
): Target {
  if (specifier.startsWith('.')) {
    const path = posix.join(posix.dirname(from), specifier)
    const candidates = [path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx'), path]
    const found = candidates.find(known)
    return found === undefined ? { kind: 'unresolved' } : { kind: 'file', path: found }
  }
  if (specifier.startsWith('#')) {
    // What the root manifest offers ends where another manifest begins.
    const offers = packages.find(({ entries }) => entries.has(specifier))
    if (offers === undefined || packages.some(({ folder }) => from.startsWith(`${folder}/`)))
      return { kind: 'unresolved' }
    return { kind: 'package', name: offers.name, subpath: specifier, path: offers.entries.get(specifier) }
  }
  const bare = specifier.replace(/^node:/, '')
  if (specifier.startsWith('node:') || BUILTINS.has(bare)) return { kind: 'builtin', name: bare }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const ours = packages.find((candidate) => candidate.name === name)
  if (ours === undefined) return { kind: 'external', name }
  const subpath = `.${specifier.slice(name.length)}`
  return { kind: 'package', name, subpath, path: ours.entries.get(subpath) }
}
