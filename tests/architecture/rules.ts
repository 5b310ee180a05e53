/** The rules over the import graph. Each is a pure function from the graph to what breaks it. */
import { posix } from 'node:path'
import { findCycles } from './cycles.js'
import { SHARED_TYPE_NAMES } from './exceptions.js'
import {
  COMPOSITION,
  FLOORS,
  IMPURE_FILES,
  LAYERS,
  LIBRARIES,
  ORDER,
  PORT_FILES,
  REAL_TIME_TESTS,
  SIBLINGS,
  TEST_ONLY,
  type Layer,
} from './layers.js'
import { besideTheDoor, withoutCaller } from './door.js'
import { packageOf, type Import, type Module, type ModuleGraph } from './module-graph.js'

/** Says whether the graph keeps a rule: one line for each place that does not. */
export type Rule = (graph: ModuleGraph) => string[]

/** Every rule by the sentence it enforces. */
export const RULES: Readonly<Record<string, Rule>> = {
  'every file parses': (graph) =>
    modules(graph).flatMap((module) => module.parseErrors.map((error) => `${module.path}: ${error}`)),
  'every import leads somewhere': (graph) =>
    each(graph, ({ from, target }) => {
      if (target.kind === 'unresolved') return 'no such module'
      // The launchers import what the build leaves, by path.
      return target.kind === 'computed' && !from.startsWith('tools/') && 'cannot be checked'
    }),
  'every package has a layer': (graph) =>
    graph.packages.flatMap(({ folder }) =>
      !folder.startsWith('packages/') || LAYERS[folder.slice(9)] ? [] : [`${folder} has none`],
    ),
  'packages import only what their layer allows': (graph) => each(graph, (it) => aboveLayer(graph, it)),
  'what is imported is a declared dependency': (graph) => each(graph, (it) => undeclared(graph, it)),
  'packages are entered by their declared entries': (graph) => each(graph, (it) => deep(graph, it)),
  'adapters and stores never import each other': (graph) => each(graph, siblings),
  'what adapters stand on knows none of them': (graph) => each(graph, floors),
  'the folders of a package depend on earlier ones only': (graph) => [
    ...modules(graph).flatMap(({ path }) =>
      placeOf(path) === -1 ? [`${path} has no place in the order`] : [],
    ),
    ...each(graph, ({ from, target }) => {
      if (isTest(from) || target.kind !== 'file') return undefined
      const [own, other] = [placeOf(from), placeOf(target.path)]
      if (
        own === undefined ||
        other === undefined ||
        packageOf(graph, from) !== packageOf(graph, target.path)
      )
        return undefined
      return own < other && 'comes later in the order'
    }),
  ],
  'adapters see of the core its door only': besideTheDoor,
  'every member of the door takes the caller': withoutCaller,
  'an integration uses its own library only': (graph) =>
    each(graph, ({ from, target }) => {
      const folder = /^packages\/integrations\/src\/(?:([^/]+)\/)?/.exec(from)
      if (folder === null || isTest(from) || target.kind !== 'external') return undefined
      const own = LIBRARIES[folder[1] ?? ''] ?? []
      return !own.includes(target.name) && `those who use ${folder[1] ?? 'another one'} do not have it`
    }),
  'two files name the adapters and stores': (graph) =>
    each(graph, ({ from, target }) => {
      const restricted =
        target.kind === 'package' && COMPOSITION.names.includes(target.name.replace('@rollcall/', ''))
      const concerned =
        from.startsWith('packages/server/src/') && !isTest(from) && !COMPOSITION.files.includes(from)
      return restricted && concerned && `names ${target.name}; only ${COMPOSITION.files.join(' and ')} may`
    }),
  'no cycle between packages': (graph) => findCycles(packageEdges(graph)).map((cycle) => cycle.join(' → ')),
  'no cycle between modules at run time': (graph) =>
    findCycles(moduleEdges(graph)).map((cycle) => cycle.join(' → ')),
  'an exported type name stands for one idea in the product': repeatedTypeNames,
  'only port files touch time and chance': (graph) =>
    modules(graph).flatMap(({ path, impurities }) => {
      if (!isProduct(path) || PORT_FILES.includes(posix.basename(path)) || Object.hasOwn(IMPURE_FILES, path))
        return []
      return impurities.map(({ what, line }) => `${path}:${line} uses ${what}`)
    }),
  'tests below integration never wait on a real clock': (graph) =>
    modules(graph).flatMap(({ path, impurities, fakesTimers }) => {
      const concerned = (isTest(path) && path.startsWith('packages/')) || path.startsWith('tests/simulation/')
      if (!concerned || fakesTimers || Object.hasOwn(REAL_TIME_TESTS, path)) return []
      return impurities
        .filter(({ what }) => WAITS.test(what))
        .map(({ what, line }) => `${path}:${line} uses ${what}`)
    }),
}

const WAITS = /setTimeout|setInterval|timers|AbortSignal/

function modules(graph: ModuleGraph): Module[] {
  return [...graph.modules.values()]
}

/** Runs a check over every import and words what it finds. */
function each(graph: ModuleGraph, check: (it: Import) => string | false | undefined): string[] {
  return modules(graph).flatMap(({ imports }) =>
    imports.flatMap((it) => {
      const found = check(it)
      return found === undefined || found === false
        ? []
        : [`${it.from}:${it.line} imports '${it.specifier}': ${found}`]
    }),
  )
}

/** Whether a path is a test, or part of one, rather than product code. */
export function isTest(path: string): boolean {
  return /\.(test|fixture)\.ts$/.test(path) || path.startsWith('tests/')
}

/** The place of a file in the order of its package; undefined where that has none, -1 where it is not in it. */
function placeOf(path: string): number | undefined {
  if (isTest(path)) return undefined
  const sources = Object.keys(ORDER).find((folder) => path.startsWith(`${folder}/`))
  if (sources === undefined) return undefined
  const rest = path.slice(sources.length + 1)
  return ORDER[sources]?.findIndex((name) => (name.endsWith('/') ? rest.startsWith(name) : rest === name))
}

function isProduct(path: string): boolean {
  return path.startsWith('packages/') && !isTest(path)
}

/** Type names that two product files declare, and exceptions that are none any more. The testkit is no product. */
function repeatedTypeNames(graph: ModuleGraph): string[] {
  const declaredIn = new Map<string, string[]>()
  for (const { path, exportedTypes } of modules(graph)) {
    if (!isProduct(path) || path.startsWith('packages/testkit/')) continue
    for (const name of exportedTypes) declaredIn.set(name, [...(declaredIn.get(name) ?? []), path])
  }
  const repeated = [...declaredIn].filter(([, paths]) => paths.length > 1)
  const found = repeated.flatMap(([name, paths]) =>
    Object.hasOwn(SHARED_TYPE_NAMES, name) ? [] : [`${name} is declared by ${paths.join(' and ')}`],
  )
  const settled = Object.keys(SHARED_TYPE_NAMES).filter((name) => (declaredIn.get(name) ?? []).length < 2)
  return [...found, ...settled.map((name) => `${name} is declared once: take it off the list of exceptions`)]
}

/** The row of the layer table that governs a file of packages/, with its name. */
function layerOf(path: string): { name: string; layer: Layer } | undefined {
  const match = /^packages\/([^/]+)\/src\/(?:([^/]+)\/)?/.exec(path)
  if (match === null) return undefined
  const [, folder = '', inner = ''] = match
  const part = `${folder}/${inner}`
  const name = Object.hasOwn(LAYERS, part) ? part : folder
  const layer = LAYERS[name]
  return layer === undefined ? undefined : { name, layer }
}

function aboveLayer(graph: ModuleGraph, { from, target }: Import): string | undefined {
  const own = layerOf(from)
  if (own === undefined) return undefined
  const layers = isTest(from) ? [own.layer, TEST_ONLY] : [own.layer]
  switch (target.kind) {
    case 'builtin':
      return layers.some((layer) => layer.builtins) ? undefined : `${own.name} uses no built-in modules`
    case 'external':
      return layers.some((layer) => layer.external.includes(target.name))
        ? undefined
        : `${own.name} may not use this package`
    case 'package':
    case 'file': {
      const other = target.path === undefined ? undefined : layerOf(target.path)
      if (other === undefined || other.name === own.name) return undefined
      if (isTest(from) && packageOf(graph, from) === packageOf(graph, target.path ?? '')) return undefined
      return layers.some((layer) => layer.ours.includes(other.name))
        ? undefined
        : `${own.name} may not import ${other.name}`
    }
    default:
      return undefined
  }
}

function undeclared(graph: ModuleGraph, { from, target }: Import): string | undefined {
  const own = packageOf(graph, from)
  if (own === undefined || isTest(from)) return undefined
  if (target.kind !== 'external' && target.kind !== 'package') return undefined
  if (target.name === own.name) return 'a package does not import itself by name'
  return own.dependencies.has(target.name) ? undefined : `${own.folder}/package.json does not declare it`
}

function deep(graph: ModuleGraph, { from, target }: Import): string | undefined {
  if (target.kind === 'package')
    return target.path === undefined ? `${target.name} declares no entry ${target.subpath}` : undefined
  if (target.kind !== 'file') return undefined
  const other = packageOf(graph, target.path)
  if (other === undefined || other === packageOf(graph, from)) return undefined
  // A component that needs real sockets is tested there, beside the tests of whole servers.
  if (from.startsWith('tests/integration/') && target.path.startsWith(`${other.folder}/src/`))
    return undefined
  return `reaches into ${other.folder}`
}

function siblings({ from, target }: Import): string | undefined {
  if (target.kind !== 'file') return undefined
  for (const [folder, names] of Object.entries(SIBLINGS)) {
    const side = (path: string): string | undefined =>
      names.find((name) => path.startsWith(`${folder}/${name}/`))
    const [own, other] = [side(from), side(target.path)]
    if (own !== undefined && other !== undefined && own !== other) return `${own} and ${other} are siblings`
  }
  return undefined
}

function floors({ from, target }: Import): string | undefined {
  if (target.kind !== 'file') return undefined
  for (const [folder, names] of Object.entries(FLOORS)) {
    const below = names.find((name) => from.startsWith(`${folder}/${name}/`))
    const above = SIBLINGS[folder]?.find((name) => target.path.startsWith(`${folder}/${name}/`))
    if (below !== undefined && above !== undefined) return `${above} stands on ${below}`
  }
  return undefined
}

/** Product code only: tests beside core may use testkit, which uses core. Types count. */
function packageEdges(graph: ModuleGraph): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>()
  for (const { path, imports } of graph.modules.values()) {
    const own = packageOf(graph, path)
    if (own === undefined || isTest(path)) continue
    const others = edges.get(own.name) ?? new Set()
    edges.set(own.name, others)
    for (const { target } of imports)
      if (target.kind === 'package' && target.name !== own.name) others.add(target.name)
  }
  return edges
}

/** Type imports leave nothing behind, so modules may refer to each other's types. */
function moduleEdges(graph: ModuleGraph): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>()
  for (const { path, imports } of graph.modules.values()) {
    const runtime = imports.filter(({ typeOnly }) => !typeOnly)
    edges.set(
      path,
      new Set(
        runtime.flatMap(({ target }) => ('path' in target && target.path !== undefined ? [target.path] : [])),
      ),
    )
  }
  return edges
}
