/**
 * The single executable: a copy of the Node that runs this, with the bundled command inside (Node's SEA). It needs no
 * Node, no PATH and no file beside it, and nothing is fetched to make it.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ROOT } from '../prepare.mjs'
import { bundleCommand } from './bundle.mjs'
import { thirdPartyNotices } from './notices.mjs'
import { NotMade, output } from './programs.mjs'

/** Marks the place in a Node where it looks for a program of its own; the 0 behind it says that there is none yet. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
const POSTJECT = join(ROOT, 'node_modules', 'postject', 'dist', 'cli.js')

/**
 * Writes the executable for `version` into a folder; resolves to its path and that of the licences of what is inside.
 * Rejects with NotMade where this Node cannot become one. The same Node and sources give the same bytes.
 */
export async function makeExecutable(folder, version) {
  const node = process.execPath
  if (process.platform !== 'linux') throw new NotMade('the single executable is made on Linux only')
  if (!readFileSync(node).includes(`${FUSE}:0`))
    throw new NotMade(`the single executable: ${node} keeps its code in a library of its own, not in itself`)
  const { code, modules } = await bundleCommand()
  const notices = join(folder, 'THIRD-PARTY-NOTICES.txt')
  writeFileSync(notices, thirdPartyNotices(modules))
  const executable = join(folder, `rollcall-${version}-linux-${process.arch}`)
  const work = mkdtempSync(join(tmpdir(), 'rollcall-pack-'))
  try {
    await inject(await blobOf(code, work), join(work, 'rollcall'))
    copyFileSync(join(work, 'rollcall'), executable)
    chmodSync(executable, 0o755)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { executable, notices }
}

/** The program as Node keeps it. Without V8's code cache, which saves 20 ms at each start and differs from run to run. */
async function blobOf(code, work) {
  // Names without a folder: they end up in the blob.
  writeFileSync(join(work, 'rollcall.cjs'), code)
  const config = { main: 'rollcall.cjs', output: 'rollcall.blob', disableExperimentalSEAWarning: true }
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config))
  await output(process.execPath, ['--experimental-sea-config', 'sea.json'], { cwd: work })
  return join(work, 'rollcall.blob')
}

async function inject(blob, file) {
  copyFileSync(process.execPath, file)
  chmodSync(file, 0o755)
  if (!existsSync(POSTJECT)) throw new Error(`${dirname(POSTJECT)} is missing: npm ci`)
  await output(process.execPath, [POSTJECT, file, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE])
}
