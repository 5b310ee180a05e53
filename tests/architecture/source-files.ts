/** The checkout as the rules read it: its files and their text. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** Folders that hold no source: installed, built or recorded. */
const NOT_SOURCE = new Set([
  'node_modules',
  'dist',
  'cjs',
  '.git',
  '.cache',
  '.rollcall',
  'rollcall-data',
  'coverage',
  'out',
])

/** Paths of all files of the repository below a folder, relative to the root, with forward slashes, sorted. */
export function listFiles(folder = '.'): string[] {
  const found: string[] = []
  const visit = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) {
        if (!NOT_SOURCE.has(entry.name)) visit(path)
      } else if (entry.isFile()) {
        found.push(relative(ROOT, path).split(sep).join('/'))
      }
    }
  }
  visit(join(ROOT, folder))
  return found.toSorted()
}

/** Text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Whether a path of the repository exists. */
export function exists(path: string): boolean {
  return statSync(join(ROOT, path), { throwIfNoEntry: false }) !== undefined
}
