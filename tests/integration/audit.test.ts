/** What a node logs of its operators and of those it refuses, as a process: one line for each action, none for each instance. */
import { killServerProcesses, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let node: ServerProcess

beforeAll(async () => {
  node = await startServerProcess({
    args: ['--log-format', 'json', '--admission', 'strict', '--limits-instances-max', '20'],
  })
})

afterAll(killServerProcesses)

type Line = Readonly<Record<string, unknown>>

/** Lines since the last call, without those of the start. */
let seen = 0
async function newLines(component: string): Promise<readonly Line[]> {
  // A line leaves its process a moment after the answer.
  await new Promise((resolve) => setTimeout(resolve, 100))
  const text = node
    .stdout()
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
  const lines = text.slice(seen).map((line) => JSON.parse(line) as Line)
  seen = text.length
  return lines.filter((line) => line['component'] === component)
}

async function call(method: string, path: string, body: unknown): Promise<number> {
  const answer = await fetch(`${node.url}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await answer.text()
  return answer.status
}

async function rollcall(...words: readonly string[]): Promise<number | null> {
  const env = { ROLLCALL_REGISTRY: node.url, USER: '', LOGNAME: '' }
  return (await startCommand(words, { env }).exited).code
}

const instances = (count: number, service = 'orders') =>
  Array.from({ length: count }, (_, n) => ({
    service,
    id: `i${n}`,
    host: '127.0.0.9',
    port: 4_000,
    liveness: 'static',
  }))

describe('the log of a node', () => {
  it('has a line for each action of an operator: who, from where, what and why', async () => {
    await newLines('audit')
    expect(await call('PUT', '/services/orders', { allow: ['127.0.0.0/8'] })).toBe(200)
    expect(await call('POST', '/register', { instances: instances(10) })).toBe(200)
    expect(await rollcall('drain', 'orders', 'i0', '--why', 'disk', '--by', 'bob')).toBe(0)
    expect(await rollcall('freeze', '--namespace', '*', '--why', 'switch')).toBe(0)
    expect(await rollcall('deregister', '--host', '127.0.0.9', '--confirm')).toBe(1)
    expect(await rollcall('unfreeze', '--namespace', '*')).toBe(0)
    expect(await rollcall('deregister', '--host', '127.0.0.9', '--confirm', '--why', 'gone')).toBe(0)
    const lines = await newLines('audit')
    expect(lines.map(({ level, action, message }) => [level, action, message].join(' '))).toEqual([
      'info declareService service declared',
      'info override override set',
      'info freeze frozen',
      'info deregisterHost command refused',
      'info unfreeze freeze taken back',
      'info deregisterHost instances removed by host',
    ])
    expect(lines[1]).toMatchObject({ by: 'bob', why: 'disk', peer: '127.0.0.1', drain: true, id: 'i0' })
    // Without a variable that names it, the user is that of the process.
    expect(lines[2]).toMatchObject({
      by: expect.stringMatching(/^.+$/) as string,
      why: 'switch',
      namespace: '*',
    })
    expect(lines[3]).toMatchObject({ code: 'frozen', reason: 'an operator froze default' })
    expect(lines[5]).toMatchObject({ host: '127.0.0.9', confirm: true, why: 'gone', instances: 10 })
  })

  it('has one for what admission and limits refuse, not one for each time', async () => {
    await newLines('refusals')
    for (let n = 0; n < 3; n++) {
      expect(await call('POST', '/register', { instances: instances(5, 'undeclared') })).toBe(403)
      expect(await call('POST', '/register', { instances: instances(30) })).toBe(200)
    }
    const lines = await newLines('refusals')
    expect(lines.map(({ level, code, quota }) => [level, code, quota])).toEqual([
      ['info', 'service_not_declared', undefined],
      ['warn', 'limit_exceeded', 'instancesMax'],
    ])
    expect(await newLines('audit')).toEqual([])
  })

  it('cannot be written by a caller', async () => {
    await newLines('audit')
    const why = 'x\n{"level":"error","component":"audit","message":"forged"}\u009b31m\u202e'
    expect(await call('PUT', '/freeze', { namespace: 'shop', by: 'eve', why })).toBe(200)
    const lines = await newLines('audit')
    expect(lines).toEqual([expect.objectContaining({ message: 'frozen', by: 'eve', why })])
    expect(node.stdout()).not.toMatch(/[\u009b\u202e]/)
  })
})
