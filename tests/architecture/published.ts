/** What a package must have that is published, read from its manifest. */
import type { Manifest } from './workspace.js'

/** Published manifests by folder: all that are not private. */
export function published(all: ReadonlyMap<string, Manifest>): Map<string, Manifest> {
  return new Map([...all].filter(([, manifest]) => manifest.private !== true))
}

/**
 * What is missing in published packages, or differs from the root. `textOf` gives the text of a file of the checkout, or
 * undefined.
 */
export function unpublishable(
  all: ReadonlyMap<string, Manifest>,
  textOf: (path: string) => string | undefined,
): string[] {
  const root = all.get('.')
  const licence = textOf('LICENSE')
  return [...published(all)].flatMap(([folder, manifest]) => [
    ...['README.md', 'LICENSE'].flatMap((name) =>
      textOf(`${folder}/${name}`) === undefined ? [`${folder}: no ${name}`] : [],
    ),
    ...(textOf(`${folder}/LICENSE`) === licence ? [] : [`${folder}: another LICENSE than the repository`]),
    ...((manifest.description ?? '') === '' ? [`${folder}: no description`] : []),
    ...((manifest.keywords ?? []).length === 0 ? [`${folder}: no keywords`] : []),
    ...(['author', 'homepage', 'bugs'] as const).flatMap((key) =>
      JSON.stringify(manifest[key]) === JSON.stringify(root?.[key]) && manifest[key] !== undefined
        ? []
        : [`${folder}: ${key} is not that of the repository`],
    ),
    ...(manifest.repository?.url === root?.repository?.url && manifest.repository?.directory === folder
      ? []
      : [`${folder}: repository is not this folder of it`]),
    ...unshippable(folder, manifest),
  ])
}

/** Entries that are for this repository alone, and dependencies that are not published. */
function unshippable(folder: string, { exports = {}, files = [], ...manifest }: Manifest): string[] {
  const unwanted = ['!**/*.tsbuildinfo', '!**/*.test.*', '!**/*.fixture.*', '!**/fixtures']
  const left = files.includes('src') ? unwanted.filter((pattern) => !files.includes(pattern)) : []
  return [
    ...Object.keys(exports)
      .filter((path) => path.includes('internal'))
      .map((path) => `${folder}: ${path} is no entry for users`),
    ...left.map((pattern) => `${folder}: files without ${pattern}`),
    ...Object.keys(manifest.dependencies ?? {})
      .filter((name) => name === '@rollcall/testkit')
      .map((name) => `${folder}: needs ${name}, which is private`),
  ]
}
