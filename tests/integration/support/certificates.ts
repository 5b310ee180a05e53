/** Certificates made when they are needed, by openssl: an authority, and what it signs. None is kept, so none runs out. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether there is an openssl to make certificates with. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority and a certificate of it for each name. */
export async function certificates<Name extends string>(
  ...names: readonly Name[]
): Promise<{ readonly ca: string; readonly of: Readonly<Record<Name, Certificate>> }> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-tls-'))
  const file = (name: string): string => join(folder, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout']
  try {
    const authority = ['-x509', '-days', '1', '-subj', '/CN=authority', '-out', file('ca.crt')]
    await run('openssl', ['req', ...key, file('ca.key'), ...authority])
    const made: [Name, Certificate][] = []
    for (const name of names) {
      await run('openssl', ['req', ...key, file('own.key'), '-subj', `/CN=${name}`, '-out', file('own.csr')])
      await writeFile(file('own.ext'), `subjectAltName=DNS:${name}\n`)
      const signing = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '1']
      const outcome = ['-in', file('own.csr'), '-extfile', file('own.ext'), '-out', file('own.crt')]
      await run('openssl', ['x509', '-req', ...signing, ...outcome])
      const text = (what: string): Promise<string> => readFile(file(what), 'utf8')
      made.push([name, { cert: await text('own.crt'), key: await text('own.key') }])
    }
    return {
      ca: await readFile(file('ca.crt'), 'utf8'),
      of: Object.fromEntries(made) as Record<Name, Certificate>,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
