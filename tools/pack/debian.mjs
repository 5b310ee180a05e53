/**
 * The Debian package: the single executable, a unit of systemd with its user, settings, completions, the manual page and
 * licences. The same input and date give the same bytes.
 */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ROOT } from '../prepare.mjs'
import { manPage } from './man-page.mjs'
import { NotMade, output } from './programs.mjs'

const SOURCE = join(ROOT, 'packaging', 'debian')
/** Names of Debian for the processors that Node knows. */
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64', arm: 'armhf', ppc64: 'ppc64el', s390x: 's390x' }
const MAINTAINER = 'Rollcall maintainers <maintainers@rollcall.invalid>'
const SCRIPTS = ['postinst', 'prerm', 'postrm']
/** Where each shell looks for completions that come with packages. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/rollcall',
  zsh: 'usr/share/zsh/vendor-completions/_rollcall',
  fish: 'usr/share/fish/vendor_completions.d/rollcall.fish',
}

/**
 * Writes the package into a folder; resolves to its path. `made` is what makeExecutable gave, `epoch` the date of
 * everything inside in seconds, `compression` one of dpkg-deb's (xz is small and takes two minutes, none is for tests).
 */
export async function makeDebian(folder, { version, made, epoch, compression }) {
  if (made === undefined)
    throw new NotMade('the Debian package: there is no single executable to put into it')
  const architecture = ARCHITECTURES[process.arch]
  if (architecture === undefined)
    throw new NotMade(`the Debian package: Debian has no name for ${process.arch}`)
  await output('dpkg-deb', ['--version']).catch(() => {
    throw new NotMade('the Debian package: there is no dpkg-deb here')
  })
  // A hyphen would end the version of the software and begin that of the package.
  const full = `${version.replace('-', '~')}-1`
  const file = join(folder, `rollcall_${full}_${architecture}.deb`)
  const tree = mkdtempSync(join(tmpdir(), 'rollcall-deb-'))
  try {
    await fill(tree, { version, full, made, epoch })
    writeControl(tree, { VERSION: full, ARCHITECTURE: architecture, DEPENDS: dependsOf(made.executable) })
    settle(tree, epoch)
    // One thread: with several, the bytes depend on their number.
    const options = ['--root-owner-group', `-Z${compression}`, '--threads-max=1']
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) }
    await output('dpkg-deb', [...options, '--build', tree, file], { env })
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
  return file
}

async function fill(tree, { version, full, made, epoch }) {
  const put = (path, text, mode = 0o644) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
    chmodSync(join(tree, path), mode)
  }
  const source = (name) => readFileSync(join(SOURCE, name))
  mkdirSync(join(tree, 'usr', 'bin'), { recursive: true })
  copyFileSync(made.executable, join(tree, 'usr', 'bin', 'rollcall'))
  chmodSync(join(tree, 'usr', 'bin', 'rollcall'), 0o755)
  put('usr/lib/systemd/system/rollcall.service', source('rollcall.service'))
  put('usr/lib/sysusers.d/rollcall.conf', source('rollcall.sysusers'))
  put('etc/rollcall/rollcall.yaml', source('rollcall.yaml'))
  put('etc/default/rollcall', source('rollcall.default'))
  for (const [shell, path] of Object.entries(COMPLETIONS))
    put(path, await output(made.executable, ['completion', shell]))
  const date = new Date(epoch * 1_000)
  put('usr/share/man/man1/rollcall.1.gz', packed(await manPage(version, date.toISOString().slice(0, 10))))
  put('usr/share/doc/rollcall/copyright', copyright(readFileSync(made.notices, 'utf8')))
  put('usr/share/doc/rollcall/changelog.gz', packed(readFileSync(join(ROOT, 'CHANGELOG.md'))))
  put('usr/share/doc/rollcall/changelog.Debian.gz', packed(debianChangelog(full, date)))
}

/** Without a name and a time in the head. */
const packed = (text) => gzipSync(text, { level: 9 })

function copyright(notices) {
  const licence = readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim()
  return `Rollcall is under the Apache License 2.0:\n\n${licence}\n\n${notices}`
}

function debianChangelog(full, date) {
  const when = date.toUTCString().replace('GMT', '+0000')
  return `rollcall (${full}) stable; urgency=medium\n\n  * Built by \`npm run pack\`. What changed: changelog.gz.\n\n -- ${MAINTAINER}  ${when}\n`
}

function writeControl(tree, values) {
  const files = filesOf(tree)
  const kibibytes = Math.ceil(files.reduce((sum, path) => sum + readFileSync(path).length, 0) / 1_024)
  const sums = files.map((path) => `${md5(path)}  ${relative(tree, path)}\n`).join('')
  const target = join(tree, 'DEBIAN')
  mkdirSync(target)
  const all = { ...values, MAINTAINER, INSTALLED_SIZE: String(kibibytes) }
  const control = readFileSync(join(SOURCE, 'control'), 'utf8').replaceAll(
    /@([A-Z_]+)@/g,
    (_, name) => all[name],
  )
  writeFileSync(join(target, 'control'), control)
  writeFileSync(join(target, 'md5sums'), sums)
  copyFileSync(join(SOURCE, 'conffiles'), join(target, 'conffiles'))
  for (const script of SCRIPTS) {
    copyFileSync(join(SOURCE, script), join(target, script))
    chmodSync(join(target, script), 0o755)
  }
}

/** dpkg verifies installed files by this digest, which Debian keeps for that. */
const md5 = (path) => createHash('md5').update(readFileSync(path)).digest('hex')

/** Libraries that the runtime is linked with. Which C library it needs at least stands in its symbols. */
function dependsOf(executable) {
  const symbols = readFileSync(executable, 'latin1').matchAll(/GLIBC_2\.(\d+)/g)
  const minor = Math.max(...[...symbols].map(([, number]) => Number(number)))
  return [
    `libc6 (>= 2.${minor})`,
    'libgcc-s1',
    'libstdc++6',
    'init-system-helpers (>= 1.54)',
    'systemd | systemd-standalone-sysusers | systemd-sysusers',
  ].join(', ')
}

function filesOf(tree) {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

/** Same modes and times whatever the umask and the clock. */
function settle(tree, epoch) {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) chmodSync(path, 0o755)
    utimesSync(path, epoch, epoch)
  }
  chmodSync(tree, 0o755)
  utimesSync(tree, epoch, epoch)
}
