/** The rules over files, manifests, the lock file and documents. Pure: text in, what breaks the rule out. */
import { posix } from 'node:path'
import { parseModule } from './parse-module.js'
import type { Manifest } from './workspace.js'

/** Past this a file has more than one responsibility. */
export const FILE_LINES_MAX = 400
/** Past this a function, those inside it included, is looked at twice. */
export const FUNCTION_LINES_MAX = 70

/** Words that say nothing about what a file is for. */
const EMPTY_WORDS = /(^|[-.])(utils?|helpers?|managers?|common|misc|impl)([-.]|$)/
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/

/** File names that are not kebab-case or say nothing. */
export function badNames(paths: readonly string[]): string[] {
  return paths
    .filter((path) => /\.(ts|tsx|mjs|js)$/.test(path))
    .filter((path) => {
      const words = path.split('/')
      return words.some((word) => EMPTY_WORDS.test(word)) || !KEBAB_CASE.test(posix.basename(path))
    })
}

/** Built files beside their sources: an import of `./merge.js` would get yesterday's build of it. */
export function builtBesideSources(paths: readonly string[]): string[] {
  const all = new Set(paths)
  return paths.filter(
    (path) => /\.(js|js\.map|d\.ts)$/.test(path) && all.has(path.replace(/\.(js|js\.map|d\.ts)$/, '.ts')),
  )
}

/** A source file that is too long, and its functions that are, as `path: what`. Tests may hold long functions. */
export function tooLong(path: string, text: string): string[] {
  const lines = text.trimEnd().split('\n').length
  const found = lines > FILE_LINES_MAX ? [`${path}: ${lines} lines`] : []
  if (path.endsWith('.test.ts')) return found
  for (const { name, lines: length } of parseModule(path, text).functions) {
    if (length > FUNCTION_LINES_MAX) found.push(`${path}: ${name} has ${length} lines`)
  }
  return found
}

/** A source file that does not begin, after a shebang, with a comment that says what it is for. Tests are marked. */
export function headless(path: string, text: string): string[] {
  const code = text.replace(/^#!.*\n/, '')
  if (/^(\/\/ |\/\*\* |\/\*\*\n \* )\S/.test(code)) return []
  return [path.endsWith('.test.ts') ? `test: ${path}` : path]
}

/** Places that speak of persons: a node, an instance, a client or a caller has a name of its own. */
export function persons(path: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (PERSON.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
}

// Spelled so that this file does not break its own rule.
const PERSON = /\b(who[e]ver|some[b]ody|no[b]ody)\b/i

/** The one file of a node in which a limit refuses: it counts what it refuses. */
const LIMITS = 'packages/core/src/budgets/limit.ts'

/** Places of a node that make the refusal of a limit themselves, so that nothing counts it. */
export function uncountedLimits(path: string, text: string): string[] {
  if (!/^packages\/(core|storage|protocols|server)\/src\//.test(path) || path === LIMITS) return []
  if (/\.(test|fixture)\.ts$/.test(path)) return []
  return [...text.matchAll(/(?:errorBody|RegistryError)\(\s*'limit_exceeded'/g)].map(
    ({ index }) => `${path}:${text.slice(0, index).split('\n').length}`,
  )
}

/** Longest sentence of a page for users, in words; code and links count as one each. */
const SENTENCE_WORDS_MAX = 45

/** Sentences of a document that a reader has to read twice. Code, tables and headings are no sentences. */
export function longSentences(path: string, text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '\n').replaceAll(/^(?:\||#).*$/gm, '')
  return prose
    .split(/\n\s*\n|\n(?=\s*(?:- |\d+\. ))/)
    .map((paragraph) => paragraph.replaceAll(/`[^`]*`|\[[^\]]*\]\([^)]*\)/g, 'X').replaceAll(/\s+/g, ' '))
    .flatMap((paragraph) => paragraph.split(/(?<=[.!?:][)*"]*) (?=[A-Z*])/))
    .filter((sentence) => sentence.trim().split(' ').length > SENTENCE_WORDS_MAX)
    .map((sentence) => `${path}: ${sentence.trim().slice(0, 80)}…`)
}

/** Packages, examples and benches by folder that have no page of their own. */
export function withoutReadme(folders: readonly string[], exists: (path: string) => boolean): string[] {
  return folders.filter((folder) => !exists(`${folder}/README.md`)).map((folder) => `${folder}/README.md`)
}

/**
 * What breaks a rule without being excepted, and exceptions that except nothing any more: a list of them only gets
 * shorter. An exception is the start of a finding: a folder, a file, or `path: function`.
 */
export function unexcepted(found: readonly string[], exceptions: Readonly<Record<string, string>>): string[] {
  const starts = Object.keys(exceptions)
  return [
    ...found.filter((finding) => !starts.some((start) => finding.startsWith(start))),
    ...starts
      .filter((start) => !found.some((finding) => finding.startsWith(start)))
      .map((start) => `${start} is no exception any more: take it off the list`),
  ]
}

/** Notes left open, and tests switched off or focused without a reason in the line above. */
export function unfinished(path: string, text: string): string[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    if (OPEN_NOTE.test(line)) return [`${path}:${index + 1} an open note`]
    if (FOCUSED.test(line)) return [`${path}:${index + 1} a focused test`]
    const explained = (lines[index - 1] ?? '').trimStart().startsWith('//')
    return SKIPPED.test(line) && !explained
      ? [`${path}:${index + 1} a skipped test without a reason above it`]
      : []
  })
}

// Spelled so that this file does not break its own rule.
const OPEN_NOTE = /\b(T[O]DO|FIX[M]E|XX[X])\b/
const FOCUSED = /\b(it|test|describe)\.only\b/
const SKIPPED = /\b(it|test|describe)\.(skip|todo|skipIf|fails)\b/

/** Paths into the home folder of one machine. */
export function machinePaths(path: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      /(^|[\s'"`(=:])\/(home|root|Users)\/\w/.test(line) ? [`${path}:${index + 1}`] : [],
    )
}

/** Relative links of a document that lead to no file or no heading. `find` gives a document's text, or whether a path exists. */
export function brokenLinks(path: string, text: string, find: (path: string) => string | boolean): string[] {
  const prose = text.replaceAll(/^(```+)[\s\S]*?^\1/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return []
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : posix.join(posix.dirname(path), file)
    const found = find(target)
    if (found === false) return [`${path}: ${link} leads nowhere`]
    const lost = anchor !== undefined && typeof found === 'string' && !headings(found).includes(anchor)
    return lost ? [`${path}: ${link} has no such heading`] : []
  })
}

/** Tests that a document names, by path or by file name, and that do not exist. */
export function missingTests(path: string, text: string, files: readonly string[]): string[] {
  const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, name = '']) => name)
  return [...new Set(named)]
    .filter(
      (name) => !files.some((file) => file === name || (!name.includes('/') && file.endsWith(`/${name}`))),
    )
    .map((name) => `${path}: ${name} does not exist`)
}

/** Files that a table names for a folder of a package, as `| \`folder/\` | … \`file.ts\` … |`, and that are not in it. */
export function missingSources(path: string, text: string, files: readonly string[]): string[] {
  return [...text.matchAll(/^\| `([\w-]+)\/` \|.*$/gm)].flatMap(([row, folder = '']) =>
    [...row.matchAll(/`([\w-]+\.ts)`/g)]
      .filter(([, name = '']) => !files.some((file) => file.endsWith(`/src/${folder}/${name}`)))
      .map(([, name = '']) => `${path}: ${folder}/${name} does not exist`),
  )
}

/** Anchors of a document's headings, as code forges derive them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Manifests that differ in version, licence, kind or Node floor, or that want one another in another version. */
export function outOfStep(all: ReadonlyMap<string, Manifest>): string[] {
  const root = all.get('.')
  const names = new Set([...all.values()].map(({ name }) => name))
  return [...all].flatMap(([folder, manifest]) => {
    const found: string[] = []
    if (manifest.version !== root?.version)
      found.push(`${folder}: version ${manifest.version}, not ${root?.version}`)
    if (manifest.license !== 'Apache-2.0') found.push(`${folder}: licence ${manifest.license}`)
    if (manifest.type !== 'module') found.push(`${folder}: not a module`)
    if (manifest.engines?.node !== root?.engines?.node)
      found.push(`${folder}: Node ${manifest.engines?.node}`)
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      if (names.has(name) && version !== root?.version) found.push(`${folder}: wants ${name} ${version}`)
    }
    return found
  })
}

/** What is wrong with the day of a release, which goes up with the version: the newest heading of the changelog has it. */
export function wrongRelease(
  { version, released = '' }: Pick<Manifest, 'version' | 'released'>,
  changelog: string,
): string[] {
  const [newest = '', ...older] = [...changelog.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title)
  if (Number.isNaN(Date.parse(released))) return [`${released} is no day`]
  const last = newest === 'Unreleased' ? older[0] : newest
  const [, of, day = ''] = /^(\S+) \((\d{4}-\d\d-\d\d)\)$/.exec(last ?? '') ?? []
  if (last === undefined) return []
  if (of === undefined) return [`"${last}" has no version and day, as in "1.0.0 (2030-01-31)"`]
  // The version to come is no older than the last one.
  if (newest === 'Unreleased' && of !== version) return released < day ? [`${released} is before ${of}`] : []
  return released === day && of === version ? [] : [`${version} of ${released} is not ${last}`]
}

/** Names of everything the workspace depends on that is not its own. */
export function foreignDependencies(all: ReadonlyMap<string, Manifest>): Set<string> {
  const own = new Set([...all.values()].map(({ name }) => name))
  const wanted = [...all.values()].flatMap((manifest) =>
    Object.keys({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.peerDependencies,
      ...manifest.optionalDependencies,
    }),
  )
  return new Set(wanted.filter((name) => !own.has(name)))
}

/** Dependencies without a row in the document, and rows without a dependency. */
export function unexplained(dependencies: ReadonlySet<string>, document: string): string[] {
  const rows = new Set([...document.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name))
  return [
    ...[...dependencies].filter((name) => !rows.has(name)).map((name) => `${name} has no row`),
    ...[...rows].filter((name) => !dependencies.has(name)).map((name) => `${name} is no dependency any more`),
  ]
}

/** What the tests read of package-lock.json. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>
}

interface LockEntry {
  readonly version?: string
  readonly resolved?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Entries tied to one registry, and product dependencies that want to run something when installed. */
export function lockFaults(lock: LockFile): string[] {
  return Object.entries(lock.packages).flatMap(([path, entry]) => {
    const found = /^(https?|git)/.test(entry.resolved ?? '') ? [`${path} is tied to one registry`] : []
    if (entry.hasInstallScript === true && entry.dev !== true)
      found.push(`${path} runs a script when it is installed`)
    return found
  })
}
