/** Programs of Debian as guests of a test: found or fetched, started with a folder of their own, ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianProgram, type DebianProgram, guestLibraries, programOnPath } from '@rollcall/testkit'
import type { TestContext } from 'vitest'
import { without } from '../../integration/support/guests/guest.js'

const GUESTS = {
  haproxy: {
    package: 'haproxy',
    path: 'usr/sbin/haproxy',
    libraries: ['liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
  },
  nginx: { package: 'nginx', path: 'usr/sbin/nginx' },
  dnsmasq: {
    package: 'dnsmasq-base',
    path: 'usr/sbin/dnsmasq',
    libraries: [
      'libnetfilter-conntrack3',
      'libnfnetlink0',
      'libnftables1',
      'libnftnl11',
      'libmnl0',
      'libjansson4',
    ],
  },
} satisfies Readonly<Record<string, DebianProgram>>

export type GuestName = keyof typeof GUESTS

/** A guest that can be started. */
export interface Guest {
  readonly binary: string
  readonly env: NodeJS.ProcessEnv
}

const cleanUp: (() => unknown)[] = []

/** Ends all guests and removes their folders. */
export async function endGuests(): Promise<void> {
  for (const step of cleanUp.splice(0).reverse()) await step()
}

/** The program; a test without it is reported as not run. */
export async function findGuest(context: TestContext, name: GuestName): Promise<Guest> {
  const found = programOnPath(name)
  if (found !== undefined) return { binary: found, env: process.env }
  const program: DebianProgram = GUESTS[name]
  const binary = await debianProgram(program).catch((error: Error) => without(context, error.message))
  return { binary, env: { ...process.env, LD_LIBRARY_PATH: guestLibraries(program).join(':') } }
}

/** A folder that is removed with the test; guests that give up their privileges can read it. */
export function guestFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-guest-'))
  chmodSync(folder, 0o755)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a guest, and fails with what it said if it ends by itself. */
export function startGuest({ binary, env }: Guest, args: readonly string[]): { readonly said: () => string } {
  const child: ChildProcess = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-10_000)))
  const ended = once(child, 'close')
  cleanUp.push(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return { said: () => (child.exitCode === null ? said : `ended with ${child.exitCode}: ${said}`) }
}
