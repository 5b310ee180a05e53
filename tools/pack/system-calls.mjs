/** Which system calls a working node makes that the unit of the Debian package would deny. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../prepare.mjs'
import { output } from './programs.mjs'

const UNIT = join(ROOT, 'packaging', 'debian', 'rollcall.service')
const READY_MS = 60_000
/** Long enough for a health check of the instance that has gone, and for the journal to be written. */
const WORK_MS = 3_000

/** Runs the executable as a node under strace, with work of each kind. Resolves to the names of the denied calls. */
export async function deniedSystemCalls(executable) {
  const [, filter = ''] = /^SystemCallFilter=(.+)$/m.exec(readFileSync(UNIT, 'utf8')) ?? []
  const allowed = await membersOf(filter.split(' '))
  const made = await madeBy(executable)
  return [...made].filter((name) => !allowed.has(name))
}

/** All calls of groups of systemd, those in groups of groups included. */
async function membersOf(names) {
  const text = await output('systemd-analyze', ['syscall-filter', '--no-pager'])
  const groups = new Map(
    text.split(/\n(?=@)/).map((block) => {
      const [name = '', ...lines] = block.trim().split('\n')
      return [name, lines.map((line) => line.trim()).filter((line) => /^[@a-z]/.test(line))]
    }),
  )
  const members = new Set()
  const add = (name) => {
    if (!name.startsWith('@')) members.add(name)
    else if (!groups.has(name)) throw new Error(`systemd knows no ${name}`)
    else for (const member of groups.get(name)) add(member)
  }
  for (const name of names) add(name)
  return members
}

async function madeBy(executable) {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-calls-'))
  const trace = join(folder, 'trace')
  const address = `127.0.0.1:${await freePort()}`
  const args = [
    '-f',
    '-qq',
    '-o',
    trace,
    executable,
    'serve',
    '--listen',
    address,
    '--data',
    join(folder, 'data'),
  ]
  const node = spawn('strace', args, { stdio: 'ignore' })
  const ended = once(node, 'exit')
  try {
    await ready(`http://${address}`)
    await work(executable, `http://${address}`)
  } finally {
    // strace itself takes no signal while what it traces runs.
    const children = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8').trim()
    for (const pid of children.split(' ')) process.kill(Number(pid), 'SIGTERM')
    await ended
  }
  const calls = new Set()
  for (const [, name] of readFileSync(trace, 'utf8').matchAll(/^\d+ +([a-z]\w*)\(/gm)) calls.add(name)
  rmSync(folder, { recursive: true, force: true })
  return calls
}

async function work(executable, url) {
  const port = String(await freePort())
  const inner = ['--', executable, 'serve', '--memory', '--listen', `127.0.0.1:${port}`]
  const instance = spawn(
    executable,
    ['run', '--registry', url, '--service', 'inner', '--port', port, ...inner],
    {
      stdio: 'ignore',
    },
  )
  const ended = once(instance, 'exit')
  await sleep(WORK_MS)
  const own = ['--registry', url, '--host', '127.0.0.1', '--port', '9']
  await output(executable, ['register', '--service', 'outside', ...own])
  for (const path of ['/metrics', '/api/v1/services/inner', '/prometheus/sd'])
    await (await fetch(url + path)).text()
  await output(executable, ['deregister', 'outside', '127.0.0.1:9', '--registry', url])
  instance.kill('SIGTERM')
  await ended
  await sleep(WORK_MS)
}

async function ready(url) {
  for (const end = performance.now() + READY_MS; performance.now() < end; await sleep(100)) {
    const isReady = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
  }
  throw new Error('the node under strace is not ready')
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
