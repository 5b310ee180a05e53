/**
 * A release that does not exist yet: the built packages of this checkout, in which some lines were replaced. Its records, their
 * content and verdicts, the keys of its nodes and what it says to its peers have members that this release does not know; it
 * says to peers what this one has never heard of; and it keeps its own members in a journal of a newer format. A later
 * release would be made the same way, as docs/adr/0015-engine.md has it: members are added, none gets another meaning.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { linkModules } from './old-builds.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Its version, as its nodes tell it. */
export const LATER_VERSION = '9.0.0'

/** The format of its journal, one above this release's. */
export const LATER_FORMAT = 7

/** What it adds to each record, to the content of each, and to each verdict. */
export const LATER_MEMBERS = { owner: 'a team', origin: { site: 'north' }, surely: 0.5 } as const

interface Edit {
  /** Below `packages/`. */
  readonly file: string
  readonly before: string
  readonly after: string
}

const { owner, origin, surely } = {
  owner: JSON.stringify(LATER_MEMBERS.owner),
  origin: JSON.stringify(LATER_MEMBERS.origin),
  surely: JSON.stringify(LATER_MEMBERS.surely),
}

const EDITS: readonly Edit[] = [
  {
    file: 'core/dist/admission/registrar.js',
    before: 'verdict: this.first,\n        };',
    after: `verdict: this.first,\n owner: ${owner} };`,
  },
  {
    file: 'core/dist/admission/content.js',
    before: 'digest: contentDigest(command, incarnation, command),\n',
    after: `digest: contentDigest(command, incarnation, command), origin: ${origin},\n`,
  },
  {
    file: 'core/dist/liveness/verdicts.js',
    before: 'seq: ++this.seq, reason',
    after: `seq: ++this.seq, reason, surely: ${surely}`,
  },
  // Peers: a member more in every frame, and one message more with each ping.
  {
    file: 'protocols/dist/peer/codec.js',
    before: 'return JSON.stringify(frame);',
    after: `return JSON.stringify({ ...frame, mood: 'fine' });`,
  },
  {
    file: 'protocols/dist/peer/link.js',
    before: "this.socket.send(writeFrame({ type: 'ping'",
    after:
      "this.socket.send(writeFrame({ type: 'weather', sun: true }));\nthis.socket.send(writeFrame({ type: 'ping'",
  },
  {
    file: 'core/dist/cluster/codec.js',
    before: 'export function encodeNode(node) {\n    return JSON.stringify(node);',
    after: "export function encodeNode(node) {\n    return JSON.stringify({ ...node, rack: 'r7' });",
  },
  // The journal: three fields more, under a newer format.
  {
    file: 'storage/dist/journal/frames.js',
    before: `export const FORMAT_VERSION = ${LATER_FORMAT - 1};`,
    after: `export const FORMAT_VERSION = ${LATER_FORMAT};`,
  },
  {
    file: 'storage/dist/journal/codec.js',
    before: "    'foreign',\n",
    after: "    'foreign', 'owner', 'origin', 'surely',\n",
  },
  {
    file: 'storage/dist/journal/codec.js',
    before: 'this.#value(27, content.foreign, old.foreign);',
    after: `this.#value(27, content.foreign, old.foreign);
this.#value(28, record.owner, before.owner);
this.#value(29, content.origin, old.origin);
this.#value(30, verdict.surely, oldVerdict.surely);`,
  },
  {
    file: 'storage/dist/journal/codec.js',
    before: '    // Absent, not null, before version 4.\n',
    after: `if (f[28] != null) record.owner = f[28];
if (f[29] != null) content.origin = f[29];
if (f[30] != null) verdict.surely = f[30];\n`,
  },
  ...['cli', 'server'].map((name) => ({
    file: `${name}/package.json`,
    before: `"version": "${versionOf(name)}"`,
    after: `"version": "${LATER_VERSION}"`,
  })),
]

function versionOf(name: string): string {
  const text = readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** Makes it in a new folder below the system's for temporary files; the caller removes that. */
export function makeLaterRelease(): { readonly folder: string; readonly command: string } {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-later-'))
  const packages = join(folder, 'packages')
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    mkdirSync(join(packages, name), { recursive: true })
    for (const part of ['package.json', 'bin', 'dist'])
      if (existsSync(join(ROOT, 'packages', name, part)))
        cpSync(join(ROOT, 'packages', name, part), join(packages, name, part), { recursive: true })
  }
  linkModules(folder)
  for (const { file, before, after } of EDITS) {
    const path = join(packages, file)
    const parts = readFileSync(path, 'utf8').split(before)
    if (parts.length !== 2)
      throw new Error(`${file} has ${parts.length - 1} times what is to be replaced: ${before}`)
    writeFileSync(path, parts.join(after))
  }
  return { folder, command: join(packages, 'cli', 'bin', 'rollcall.js') }
}
