/**
 * docs/reference/sdk.md and the pages below sdk/: what the SDK and its integrations export, as their built declarations say
 * it: these are what editors show, and they have the docstrings.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'
import { ROOT } from '../prepare.mjs'
import { INTEGRATIONS, TOPICS } from './sdk-topics.mjs'

const PACKAGES = join(ROOT, 'packages')
const SDK = '@rollcall/client'
/** What is built on the SDK without being an integration of it. */
const NOT_SDK = new Set(['@rollcall/cli', '@rollcall/testkit'])

/** The pages by their paths: the index, and one for each topic. */
export function sdkPages(note) {
  const manifests = new Map(
    readdirSync(PACKAGES)
      .filter((folder) => existsSync(join(PACKAGES, folder, 'package.json')))
      .map((folder) => [folder, JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8'))]),
  )
  const folders = new Map([...manifests].map(([folder, { name }]) => [name, join(PACKAGES, folder)]))
  const entries = [...manifests.values()].filter(isSdk).flatMap((manifest) => entriesOf(manifest, folders))
  entries.sort((a, b) => Number(b.name === SDK) - Number(a.name === SDK) || a.name.localeCompare(b.name))
  place(entries)
  const pages = [...TOPICS, INTEGRATIONS]
  return {
    'docs/reference/sdk.md': indexPage(note, entries, pages),
    ...Object.fromEntries(
      pages.map((topic) => [`docs/reference/sdk/${topic.page}.md`, topicPage(note, topic, entries)]),
    ),
  }
}

function indexPage(note, entries, pages) {
  const rows = pages.map(({ page, title, about }) => {
    const on = entries
      .flatMap(({ exports }) => exports)
      .filter((item) => !item.isRepeated && item.page === page)
    return `## [${title}](sdk/${page}.md)\n\n${about}\n\n${on.map(linkTo).join(' · ')}\n`
  })
  return `# The SDK

${note}

Everything the SDK exports, with its docstring, one page for each topic. [The guide](../guide/README.md) shows it at work, by task.
What is not listed here may change without notice.

${rows.join('\n')}
## By import

${entries.map((entry) => `- \`${entry.name}\`: ${entry.exports.map(linkTo).join(', ')}`).join('\n')}
`
}

function topicPage(note, { page, title, about }, entries) {
  const on = entries
    .map((entry) => ({ ...entry, exports: entry.exports.filter((item) => item.page === page) }))
    .filter(({ exports }) => exports.some(({ isRepeated }) => !isRepeated))
  return `# ${title}: reference

${note}

${about} All pages: [the SDK](../sdk.md).

${on.map((entry) => entrySection(entry, page)).join('\n')}`
}

const isSdk = ({ name, dependencies = {}, peerDependencies = {} }) =>
  name === SDK || (!NOT_SDK.has(name) && (SDK in dependencies || SDK in peerDependencies))

/** The modules that users of a package may import, each with its exports: values first, then types by name. */
function entriesOf({ name, exports }, folders) {
  return Object.entries(exports)
    .flatMap(([path, target]) => {
      const types = target.types ?? target.import?.types
      return types === undefined ? [] : [[path, types]]
    })
    .map(([path, types]) => {
      const file = join(folders.get(name), types)
      const found = [...exportsOf(file, folders)].map(([exported, declaration]) => ({
        name: exported,
        ...declaration,
      }))
      const values = found.filter(({ isType }) => !isType)
      const shapes = found.filter(({ isType }) => isType).sort((a, b) => a.name.localeCompare(b.name))
      return {
        name: join(name, path),
        text: leadingDoc(readFileSync(file, 'utf8')),
        exports: [...values, ...shapes],
      }
    })
}

/** Gives each export its heading; what several modules pass on stands where it comes first. */
function place(entries) {
  const placed = new Map()
  for (const { name, exports } of entries) {
    const prefix = name === SDK ? '' : `${name.split('/').at(-1)}: `
    for (const item of exports) {
      const earlier = placed.get(item.code)
      item.isRepeated = earlier !== undefined
      item.heading = earlier?.heading ?? `${prefix}${item.name}`
      item.page = earlier?.page ?? pageOf(name, item.name)
      placed.set(item.code, item)
    }
  }
}

function pageOf(entry, name) {
  if (entry !== SDK) return INTEGRATIONS.page
  const topic = TOPICS.find(({ names }) => names.has(name))
  if (topic === undefined)
    throw new Error(`tools/generators/sdk-topics.mjs must say on which page ${name} of ${SDK} stands`)
  return topic.page
}

/** Headings as code forges turn them into anchors. */
const linkTo = ({ name, heading, page }) =>
  `[${name}](sdk/${page}.md#${heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9_ -]/g, '')
    .replaceAll(' ', '-')})`

function entrySection({ name, text, exports }, page) {
  const own = exports.filter(({ isRepeated }) => !isRepeated)
  const items = own.map(
    ({ heading, doc, code }) =>
      `### ${heading}\n\n${doc}${doc === '' ? '' : '\n\n'}\`\`\`ts fragment\n${code}\n\`\`\`\n`,
  )
  const words = page === INTEGRATIONS.page || page === TOPICS[0].page ? text : ''
  return `## ${name}\n\n${words}${words === '' ? '' : '\n\n'}${items.join('\n')}`
}

/** Names that a declaration file exports, with what they stand for in whichever file declares it. */
function exportsOf(file, folders) {
  const text = readFileSync(file, 'utf8')
  const { program, comments } = parseSync(file, text)
  const own = declarationsOf(text, program.body, comments)
  const found = new Map()
  for (const node of program.body) {
    if (node.type === 'ExportAllDeclaration') {
      for (const [name, declaration] of exportsOf(resolve(file, node.source.value, folders), folders))
        found.set(name, declaration)
    }
    if (node.type !== 'ExportNamedDeclaration') continue
    const there = node.source === null ? own : exportsOf(resolve(file, node.source.value, folders), folders)
    const names =
      node.declaration === null
        ? node.specifiers.map(({ local, exported }) => [exported.name, local.name])
        : namesOf(node.declaration).map((name) => [name, name])
    for (const [exported, local] of names) {
      const declaration = there.get(local)
      if (declaration === undefined)
        throw new Error(`${relative(ROOT, file)} exports ${exported}, which is declared nowhere`)
      found.set(exported, declaration)
    }
  }
  return found
}

function resolve(file, specifier, folders) {
  if (specifier.startsWith('.')) return join(dirname(file), specifier.replace(/\.js$/, '.d.ts'))
  const folder = folders.get(specifier)
  if (folder === undefined)
    throw new Error(`${relative(ROOT, file)} passes on ${specifier}, which is not ours`)
  return join(folder, 'dist', 'index.d.ts')
}

/** The top declarations of a file by name: docstring apart, private members left out. */
function declarationsOf(text, body, comments) {
  const found = new Map()
  for (const node of body) {
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
    for (const name of declaration === null ? [] : namesOf(declaration)) {
      const doc = comments.findLast(
        (comment) => comment.end <= node.start && text.slice(comment.end, node.start).trim() === '',
      )
      found.set(name, {
        isType:
          declaration.type === 'TSInterfaceDeclaration' || declaration.type === 'TSTypeAliasDeclaration',
        doc: doc === undefined ? '' : proseOf(doc.value),
        code: codeOf(text, declaration),
      })
    }
  }
  return found
}

function namesOf(declaration) {
  if (declaration.type === 'VariableDeclaration') return declaration.declarations.map(({ id }) => id.name)
  return declaration.id === undefined || declaration.id === null ? [] : [declaration.id.name]
}

function codeOf(text, declaration) {
  const members = declaration.type === 'ClassDeclaration' ? declaration.body.body : []
  let code = text.slice(declaration.start, declaration.end)
  for (const member of members.filter(isPrivate).reverse()) {
    const from = member.start - declaration.start
    code = code.slice(0, from).trimEnd() + code.slice(member.end - declaration.start)
  }
  return code
    .replace(/^declare /, '')
    .replaceAll(/;$/gm, '')
    .replaceAll(/^(?: {4})+/gm, (indent) => ' '.repeat(indent.length / 2))
}

const isPrivate = ({ accessibility, key }) => accessibility === 'private' || key?.type === 'PrivateIdentifier'

/** The first comment of a file that begins with one. */
function leadingDoc(text) {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)
  return comment === null ? '' : proseOf(comment[1])
}

function proseOf(comment) {
  return comment
    .replace(/^\*/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim()
}
