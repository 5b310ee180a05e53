/** What commands make of answers that no registry gives: each is recognised, whatever it is, and none taken for a mistake of ours. */
import { describe, expect, it } from 'vitest'
import { runCommandLine } from './program.js'
import { createFakeShell } from './shell.fixture.js'

/** Every command that asks the HTTP API. */
const LINES = [
  'cluster',
  'services',
  'instances orders',
  'register --service orders --host 127.0.0.1 --port 80',
  'deregister orders a',
  'deregister --host 10.0.0.1',
  'drain orders a',
  'drain orders a --wait',
  'disable orders a',
  'enable orders a',
  'freeze',
  'unfreeze',
  'restore orders',
  'restore orders --yes',
  'explain orders a',
  'events',
]

const WRONG: readonly unknown[] = [
  null,
  true,
  7,
  'hello',
  [],
  [null],
  {},
  { instances: null },
  { services: [null], results: [null], events: [null], removed: [null] },
  { results: [{ ok: true }] },
]

describe.each(LINES)('rollcall %s', (line) => {
  it.each(WRONG.map((json) => [JSON.stringify(json), json]))('is answered with %s', async (_text, json) => {
    const shell = createFakeShell(() => ({ json }))
    expect(await runCommandLine(line.split(' '), shell)).toBe(1)
    expect(shell.stderr()).toMatch(
      /^rollcall: http:\/\/127\.0\.0\.1:7400\/api\/v1\S* does not answer like a registry \(HTTP 200, application\/json\)\n$/,
    )
    expect(shell.stdout()).toBe('')
  })
})

it('a registry below another path is named with the URL that was asked', async () => {
  const error = {
    code: 'unknown_path',
    message: 'there is nothing at this path; GET /api says what there is',
  }
  const shell = createFakeShell(() => ({ status: 404, json: { error } }))
  expect(await runCommandLine(['services', '--registry', 'http://node:7400/api/v1'], shell)).toBe(1)
  expect(shell.stderr()).toContain('(asked for http://node:7400/api/v1/api/v1/services)')
})
