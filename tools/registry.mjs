/** A registry for tools that try programs against it: any Node, any installed `rollcall`, on a free port. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const READY_MS = 30_000

/**
 * Starts `rollcall serve --memory` by a Node and the file of its command. Resolves to its URL and to what ends it;
 * rejects where it is not ready in time, and ends it.
 *
 * @param {{ binary?: string, program: string, cwd?: string }} how
 */
export async function startRegistry({ binary = process.execPath, program, cwd }) {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const address = `127.0.0.1:${probe.address().port}`
  await new Promise((resolve) => probe.close(resolve))
  const child = spawn(binary, [program, 'serve', '--memory', '--listen', address], { cwd, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  const url = `http://${address}`
  for (const end = performance.now() + READY_MS; ; await sleep(50)) {
    const ready = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) return { url, stop }
    if (child.exitCode !== null) throw new Error('the registry does not start')
    if (performance.now() < end) continue
    await stop()
    throw new Error('the registry is not ready in time')
  }
}
