/** Licences of what is inside the single executable: the libraries of the bundle, and Node. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const INSTALLED = 'node_modules/'
const RULE = '-'.repeat(80)

/** The text, sorted by name. Throws where a library comes without its licence. */
export function thirdPartyNotices(modules) {
  const libraries = [...new Set(modules.map(folderOf).filter((folder) => folder !== undefined))]
    .map(describe)
    .toSorted((a, b) => (a.title < b.title ? -1 : 1))
  const parts = [nodeItself(), ...libraries].map(
    ({ title, text }) => `${RULE}\n${title}\n${RULE}\n\n${text.trim()}\n`,
  )
  return `The rollcall executable is under the Apache License 2.0. It contains the following works of others.\n\n${parts.join('\n')}`
}

/** Folder of the installed package that a module belongs to; undefined for a module of this repository. */
function folderOf(path) {
  const at = path.lastIndexOf(INSTALLED)
  if (at < 0) return undefined
  const [first = '', second = ''] = path.slice(at + INSTALLED.length).split('/')
  return `${path.slice(0, at)}${INSTALLED}${first.startsWith('@') ? `${first}/${second}` : first}`
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e([.-]|$)/i.test(entry))
  if (file === undefined) throw new Error(`${folder} has no licence to go along with its code`)
  return { title: `${name} ${version} (${license})`, text: readFileSync(join(folder, file), 'utf8') }
}

/** Beside the binary in Node's own archives and images, among the documents in packages of Debian. */
function nodeItself() {
  const root = join(dirname(process.execPath), '..')
  const file = ['LICENSE', 'share/doc/nodejs/LICENSE', 'share/doc/nodejs/copyright']
    .map((path) => join(root, path))
    .find((path) => existsSync(path))
  const text =
    file === undefined
      ? `See the file LICENSE of the source of Node.js ${process.version}.`
      : readFileSync(file, 'utf8')
  return { title: `Node.js ${process.version} (MIT and others)`, text }
}
