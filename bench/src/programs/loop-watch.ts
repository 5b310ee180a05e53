/** Watches the event loops of nodes from outside: how long each takes to say that it lives, asked again and again. */
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveProgram } from '../program.js'

/** Time between an answer and the next question. */
const GAP_MS = 5

interface Watched {
  readonly port: number
  worstMs: number
  /** When the question that is still open was asked. */
  askedAt: number | undefined
}

let watched: Watched[] = []

function ask(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/livez', agent }, (response) => {
      response.resume().once('end', resolve)
    }).once('error', reject)
  })
}

async function follow(node: Watched): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (;;) {
    const askedAt = performance.now()
    node.askedAt = askedAt
    await ask(node.port, agent)
    node.askedAt = undefined
    node.worstMs = Math.max(node.worstMs, performance.now() - askedAt)
    await sleep(GAP_MS)
  }
}

/** Asks these from now on. */
function watch(ports: readonly number[]): void {
  watched = ports.map((port) => ({ port, worstMs: 0, askedAt: undefined }))
  for (const node of watched) void follow(node)
}

/** The longest that each took since the last call, an answer that is still to come included. */
function worst(): number[] {
  const now = performance.now()
  return watched.map((node) => {
    const ms = Math.max(node.worstMs, node.askedAt === undefined ? 0 : now - node.askedAt)
    node.worstMs = 0
    return ms
  })
}

/** What this program can do. */
export type LoopWatch = { readonly watch: typeof watch; readonly worst: typeof worst }
serveProgram({ watch, worst } satisfies LoopWatch)
