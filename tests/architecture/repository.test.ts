/** The rules over files, documents and packages, each seen to fail. */
import { describe, expect, it } from 'vitest'
import { missingEntries } from '../../tools/complete-lock.mjs'
import { HEADLESS, LONG, NO_README, PERSONS } from './exceptions.js'
import { published, unpublishable } from './published.js'
import * as rules from './repository-rules.js'
import { exists, listFiles, read } from './source-files.js'
import { manifests, type Manifest } from './workspace.js'

const files = listFiles()
const code = files.filter((path) => /\.(ts|tsx|mjs|js)$/.test(path) && !path.includes('/generated/'))
const documents = files.filter((path) => path.endsWith('.md'))
const lock = JSON.parse(read('package-lock.json')) as rules.LockFile

describe('source files', () => {
  it('are found', () => expect(code.length).toBeGreaterThan(20))
  it('have names that say what they are for', () => expect(rules.badNames(files)).toEqual([]))
  it('are not built where they stand', () => expect(rules.builtBesideSources(files)).toEqual([]))
  it('are short, and so are their functions', () =>
    expect(
      rules.unexcepted(
        code.flatMap((path) => rules.tooLong(path, read(path))),
        LONG,
      ),
    ).toEqual([]))
  it('say in their first line what they are for', () => {
    const found = code.flatMap((path) => rules.headless(path, read(path)))
    expect(rules.unexcepted(found, HEADLESS)).toEqual([])
  })
  it('speak of nodes, instances and callers, as documents do, not of persons', () => {
    const found = [...code.filter((path) => !path.endsWith('.test.ts')), ...documents].flatMap((path) =>
      rules.persons(path, read(path)),
    )
    expect(rules.unexcepted(found, PERSONS)).toEqual([])
  })
  it('count every refusal of a limit', () =>
    expect(code.flatMap((path) => rules.uncountedLimits(path, read(path)))).toEqual([]))
  it('are finished', () => expect(code.flatMap((path) => rules.unfinished(path, read(path)))).toEqual([]))
  it('name no paths of a machine', () => {
    expect([...code, ...documents].flatMap((path) => rules.machinePaths(path, read(path)))).toEqual([])
  })
})

describe('documents', () => {
  const find = (path: string): string | boolean =>
    exists(path) ? (path.endsWith('.md') ? read(path) : true) : false

  it('link to what exists', () => {
    expect(documents.flatMap((path) => rules.brokenLinks(path, read(path), find))).toEqual([])
  })
  it('name tests that exist', () => {
    const pages = ['docs/proofs.md', 'docs/availability.md', 'docs/simulation.md', 'docs/security.md']
    expect(pages.flatMap((path) => rules.missingTests(path, read(path), files))).toEqual([])
  })
  it('speak to users in sentences that are read once', () => {
    const pages = documents.filter((path) =>
      /^(?:docs\/(?:guide|operating)\/.*|docs\/[a-z-]*|README)\.md$/.test(path),
    )
    expect(pages.length).toBeGreaterThan(30)
    expect(pages.flatMap((path) => rules.longSentences(path, read(path)))).toEqual([])
  })
  it('name files where they are', () => {
    const path = 'docs/ARCHITECTURE.md'
    expect(rules.missingSources(path, read(path), files)).toEqual([])
  })
  it('keep the README short', () =>
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150))
  it('number the decisions without gaps', () => {
    const numbers = documents.flatMap((path) => /^docs\/adr\/(\d{4})-/.exec(path)?.[1] ?? [])
    expect(numbers).toEqual(numbers.map((_, index) => String(index + 1).padStart(4, '0')))
  })
})

describe('packages', () => {
  it('have a page of their own', () => {
    const folders = [...manifests().keys()].filter((folder) => folder !== '.')
    expect(rules.unexcepted(rules.withoutReadme(folders, exists), NO_README)).toEqual([])
  })
  it('move in step', () => expect(rules.outOfStep(manifests())).toEqual([]))
  it('can be published as they are', () => {
    const textOf = (path: string): string | undefined => (exists(path) ? read(path) : undefined)
    expect([...published(manifests()).keys()]).toContain('packages/rollcall')
    expect(unpublishable(manifests(), textOf)).toEqual([])
  })
  it('know the day of their release', () => {
    const server = manifests().get('packages/server')
    expect(server === undefined ? [] : rules.wrongRelease(server, read('CHANGELOG.md'))).toEqual([])
  })
  it('explain every dependency', () => {
    expect(rules.unexplained(rules.foreignDependencies(manifests()), read('docs/dependencies.md'))).toEqual(
      [],
    )
  })
  it('install the same everywhere, and run nothing of others', () =>
    expect(rules.lockFaults(lock)).toEqual([]))
  it('lock every platform (else: node tools/complete-lock.mjs)', () =>
    expect(missingEntries(lock)).toEqual({}))
  it('have their commands in place, since npm links only what exists', () => {
    const commands = [...manifests()].flatMap(([folder, { bin }]) =>
      Object.values(bin ?? {}).map((file) => `${folder}/${file}`),
    )
    expect(commands).toContain('packages/cli/bin/rollcall.js')
    expect(
      commands.filter((path) => !exists(path) || !read(path).startsWith('#!/usr/bin/env node\n')),
    ).toEqual([])
  })
})

describe('each rule can fail', () => {
  const manifest = (fields: Partial<Manifest>): Manifest => ({
    name: 'root',
    version: '1.0.0',
    license: 'Apache-2.0',
    type: 'module',
    engines: { node: '>=20' },
    ...fields,
  })

  it('names', () => {
    const bad = [
      'packages/a/src/utils.ts',
      'packages/a/src/helpers/b.ts',
      'a/session-manager.ts',
      'a/sessionStore.ts',
      'a/merge.impl.ts',
    ]
    expect(rules.badNames([...bad, 'a/communication.ts', 'a/store.test.ts', 'README.md'])).toEqual(bad)
  })

  it('built files', () => {
    expect(rules.builtBesideSources(['a.ts', 'a.js', 'a.js.map', 'a.d.ts', 'b.js'])).toEqual([
      'a.js',
      'a.js.map',
      'a.d.ts',
    ])
  })

  it('length', () => {
    expect(rules.tooLong('a.ts', '\n'.repeat(rules.FILE_LINES_MAX) + 'export {}')).toEqual([
      'a.ts: 401 lines',
    ])
    const body = '\n'.repeat(rules.FUNCTION_LINES_MAX)
    const long = `function long() {${body}}\nconst short = () => 1`
    expect(rules.tooLong('a.ts', long)).toEqual(['a.ts: long has 71 lines'])
    expect(rules.tooLong('a.test.ts', long)).toEqual([])
    const inner = `\nconst inner = () => {${'\n'.repeat(35)}}\n`
    expect(rules.tooLong('a.ts', `function factory() {${inner}${inner}}`)).toEqual([
      'a.ts: factory has 75 lines',
    ])
  })

  it('heads', () => {
    const heads = [
      '/** What it is for. */',
      '/**\n * What it is for.',
      '// What it is for',
      '#!/usr/bin/env node\n// What it is for',
    ]
    expect(heads.flatMap((head) => rules.headless('a.ts', `${head}\nexport {}`))).toEqual([])
    const none = [`import 'b'`, '', '#!/usr/bin/env node', '/**', '//', '/* eslint-disable */\n// late']
    expect(none.flatMap((head) => rules.headless('a.ts', `${head}\nexport {}`))).toHaveLength(none.length)
  })

  it('longSentences', () => {
    const long = `It says${' more and'.repeat(22)} more.`
    const text = `# ${long}\n\nShort. ${long} \`a b\` short.\n\n- ${long.slice(0, 30)}\n- ${long}\n\n| ${long} |\n`
    expect(rules.longSentences('a.md', text)).toEqual([
      expect.stringMatching(/^a\.md: It says/),
      expect.stringMatching(/^a\.md: - It says/),
    ])
    expect(rules.longSentences('a.md', long.replace(' more and', ''))).toEqual([])
  })
  it('persons', () => {
    const text = ['it says who listens', `${['Who', 'ever'].join('')} listens`, 'a nobodyknows'].join('\n')
    expect(rules.persons('a.md', text)).toEqual([`a.md:2: ${['Who', 'ever'].join('')} listens`])
  })

  it('refusals of limits that nothing counts', () => {
    const text = "\nthrow new RegistryError(\n  'limit_exceeded', 'full')"
    expect(rules.uncountedLimits('packages/protocols/src/http/a.ts', text)).toEqual([
      'packages/protocols/src/http/a.ts:2',
    ])
    for (const path of ['packages/client/src/a.ts', 'packages/core/src/a.test.ts'])
      expect(rules.uncountedLimits(path, text)).toEqual([])
  })

  it('pages of packages', () => {
    const pages = (path: string): boolean => path === 'packages/a/README.md'
    expect(rules.withoutReadme(['packages/a', 'bench'], pages)).toEqual(['bench/README.md'])
  })

  it('exceptions that are none any more', () => {
    const found = ['packages/a/b.ts: long has 71 lines', 'packages/c/d.ts:1']
    const exceptions = { 'packages/a/b.ts: long': 'a table', 'packages/gone': 'to be done' }
    expect(rules.unexcepted(found, exceptions)).toEqual([
      'packages/c/d.ts:1',
      'packages/gone is no exception any more: take it off the list',
    ])
  })

  it('open notes and switched-off tests', () => {
    const note = `// ${['TO', 'DO'].join('')} later`
    const [only, skip] = ['only', 'skip'].map((word) => `it.${word}(1)`)
    const text = [note, only, skip, '// etcd is not installed here', skip].join('\n')
    expect(rules.unfinished('a.ts', text)).toEqual([
      'a.ts:1 an open note',
      'a.ts:2 a focused test',
      'a.ts:3 a skipped test without a reason above it',
    ])
  })

  it('paths of a machine', () => {
    const home = ['', 'home', 'someone'].join('/')
    expect(rules.machinePaths('a.ts', `open('${home}/x')\n'/homepage'`)).toEqual(['a.ts:1'])
  })

  it('links', () => {
    const find = (path: string): string | boolean =>
      path === 'docs/b.md' ? '# One word\n' : path === 'docs/c.png'
    const text =
      '[a](b.md#one-word) [b](b.md#two) [c](c.png) [d](gone.md) [e](https://example.org) `[f](gone.md)`\n```\n[g](gone.md)\n```\n'
    expect(rules.brokenLinks('docs/a.md', text, find)).toEqual([
      'docs/a.md: b.md#two has no such heading',
      'docs/a.md: gone.md leads nowhere',
    ])
  })

  it('tests that a document names', () => {
    const text = 'see `a/b.test.ts`, `c.test.ts`, `a/c.test.ts` and `d.test.ts`'
    expect(rules.missingTests('docs/a.md', text, ['a/b.test.ts', 'b/c.test.ts'])).toEqual([
      'docs/a.md: a/c.test.ts does not exist',
      'docs/a.md: d.test.ts does not exist',
    ])
  })

  it('files that a table names', () => {
    const text = '| `a/` | b? | `c.ts` (d), `e.ts` |\n| `f` | `g.ts` |'
    expect(
      rules.missingSources('docs/a.md', text, ['packages/x/src/a/c.ts', 'packages/x/src/b/e.ts']),
    ).toEqual(['docs/a.md: a/e.ts does not exist'])
  })

  it('what is published', () => {
    const home = { author: 'A', homepage: 'h', bugs: { url: 'b' } }
    const whole = {
      ...home,
      description: 'd',
      keywords: ['k'],
      repository: { url: 'r', directory: 'packages/a' },
    }
    const found = (fields: Partial<Manifest>, other: Readonly<Record<string, string>> = {}): string[] => {
      const texts: Record<string, string | undefined> = {
        LICENSE: 'l',
        'packages/a/LICENSE': 'l',
        'packages/a/README.md': '',
        ...other,
      }
      const root = manifest({ ...home, private: true, repository: { url: 'r' } })
      const all = new Map([
        ['.', root],
        ['packages/a', manifest({ ...whole, ...fields })],
      ])
      return unpublishable(all, (path) => texts[path])
    }
    expect(found({})).toEqual([])
    expect(found({ private: true, description: '' })).toEqual([])
    expect(found({ description: '', keywords: [], author: 'B', repository: { url: 'r' } })).toEqual([
      'packages/a: no description',
      'packages/a: no keywords',
      'packages/a: author is not that of the repository',
      'packages/a: repository is not this folder of it',
    ])
    expect(found({}, { 'packages/a/LICENSE': 'm' })).toEqual([
      'packages/a: another LICENSE than the repository',
    ])
    expect(
      found({
        files: ['src', '!**/*.test.*', '!**/*.fixture.*', '!**/fixtures'],
        exports: { './internal': './internal.js' },
        dependencies: { '@rollcall/testkit': '1.0.0' },
      }),
    ).toEqual([
      'packages/a: ./internal is no entry for users',
      'packages/a: files without !**/*.tsbuildinfo',
      'packages/a: needs @rollcall/testkit, which is private',
    ])
  })

  it('the day of a release', () => {
    const released = { version: '1.1.0', released: '2030-02-01' }
    const wrong = (changelog: string): string[] => rules.wrongRelease(released, changelog)
    expect(wrong('## Unreleased\n')).toEqual([])
    expect(wrong('## Unreleased\n## 1.0.0 (2030-01-01)\n')).toEqual([])
    expect(wrong('## 1.1.0 (2030-02-01)\n## 1.0.0 (2030-01-01)\n')).toEqual([])
    expect(wrong('## 1.1.0 (2030-02-02)\n')).toEqual(['1.1.0 of 2030-02-01 is not 1.1.0 (2030-02-02)'])
    expect(wrong('## 1.2.0 (2030-02-01)\n')).toEqual(['1.1.0 of 2030-02-01 is not 1.2.0 (2030-02-01)'])
    expect(wrong('## Unreleased\n## 1.0.0 (2030-03-01)\n')).toEqual(['2030-02-01 is before 1.0.0'])
    expect(wrong('## 1.1.0\n')).toEqual(['"1.1.0" has no version and day, as in "1.0.0 (2030-01-31)"'])
    expect(rules.wrongRelease({ version: '1.1.0' }, '')).toEqual([' is no day'])
  })

  it('versions', () => {
    const all = new Map([
      ['.', manifest({})],
      ['packages/a', manifest({ name: 'a', version: '1.0.1' })],
      ['packages/b', manifest({ name: 'b', license: 'MIT', dependencies: { a: '^1.0.0' } })],
    ])
    expect(rules.outOfStep(all)).toEqual([
      'packages/a: version 1.0.1, not 1.0.0',
      'packages/b: licence MIT',
      'packages/b: wants a ^1.0.0',
    ])
  })

  it('dependencies', () => {
    const all = new Map([
      ['.', manifest({ devDependencies: { tool: '1' } })],
      ['packages/a', manifest({ name: 'a', dependencies: { root: '1.0.0', used: '1' } })],
    ])
    const dependencies = rules.foreignDependencies(all)
    expect([...dependencies]).toEqual(['tool', 'used'])
    expect(rules.unexplained(dependencies, '| `tool` | why |\n| `old` | why |')).toEqual([
      'used has no row',
      'old is no dependency any more',
    ])
  })

  it('the lock file', () => {
    const packages = {
      'node_modules/a': { resolved: 'https://example.org/a.tgz' },
      'node_modules/b': { hasInstallScript: true },
      'node_modules/c': { hasInstallScript: true, dev: true },
      'node_modules/d': {
        version: '1.0.0',
        dev: true,
        optionalDependencies: { '@d/linux-x64-musl': '1.0.0' },
      },
      'packages/e': { resolved: 'packages/e' },
    }
    expect(rules.lockFaults({ packages })).toEqual([
      'node_modules/a is tied to one registry',
      'node_modules/b runs a script when it is installed',
    ])
    expect(missingEntries({ packages })).toEqual({
      'node_modules/@d/linux-x64-musl': {
        version: '1.0.0',
        cpu: ['x64'],
        dev: true,
        libc: ['musl'],
        optional: true,
        os: ['linux'],
      },
    })
  })
})
