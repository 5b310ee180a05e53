/** What is told of refused callers, and how often. */
import { HandClock } from '@rollcall/testkit/time'
import { errorBody, type ErrorBody } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { linesOf } from './lines.fixture.js'
import { createRefusalLog } from './refusal-log.js'

function setUp() {
  const clock = new HandClock()
  const { logger, lines } = linesOf()
  return { clock, lines, log: createRefusalLog({ clock, logger }) }
}

function host(name: string): ErrorBody {
  return errorBody('forbidden_host', 'not by that name', undefined, { host: name })
}

function full(quota: string): ErrorBody {
  return errorBody('limit_exceeded', 'full', undefined, { quota, max: 5, over: 'peer' })
}

describe('the log of refusals', () => {
  it('tells a host name once, with what allows it, from wherever it is called', () => {
    const { clock, lines, log } = setUp()
    log.note(host('registry.example'), '10.0.0.1')
    clock.advance(600_000)
    log.note(host('registry.example'), '10.0.0.2')
    log.note(host('other.example'), '10.0.0.2')
    expect(lines).toEqual([
      expect.stringMatching(
        /^warn refused a host name; --allowed-hosts NAME .*"peer":"10.0.0.1","host":"registry.example"/,
      ),
      expect.stringContaining('"peer":"10.0.0.2","host":"other.example"'),
    ])
  })

  it('tells what a limit refused again after a minute, with how often, for each quota and peer', () => {
    const { clock, lines, log } = setUp()
    for (let n = 0; n < 3; n++) log.note(full('instancesMax'), '10.0.0.1')
    log.note(full('watchesMax'), '10.0.0.1')
    log.note(full('instancesMax'), '10.0.0.2')
    expect(lines).toHaveLength(3)
    expect(lines[0]).toBe(
      'warn refused by a limit {"code":"limit_exceeded","peer":"10.0.0.1","quota":"instancesMax","max":5,"over":"peer"}',
    )
    clock.advance(60_000)
    log.note(full('instancesMax'), '10.0.0.1')
    expect(lines[3]).toContain('"times":3')
  })

  it('tells what admission refused, with its reason', () => {
    const { lines, log } = setUp()
    const error = errorBody('namespace_not_allowed', '10.0.0.5 may not register in namespace shop', 'host')
    log.note(error, '10.0.0.5')
    log.note(error, '10.0.0.5')
    expect(lines).toEqual([
      'info refused by the allow list of the namespace {"code":"namespace_not_allowed","peer":"10.0.0.5","reason":"10.0.0.5 may not register in namespace shop"}',
    ])
  })

  it('passes over what the caller has to correct', () => {
    const { lines, log } = setUp()
    for (const code of ['invalid_argument', 'unknown_service', 'id_taken', 'frozen', 'internal'] as const)
      log.note(errorBody(code, 'x'), '10.0.0.1')
    expect(lines).toEqual([])
  })

  it('holds few names and few lines, whatever comes', () => {
    const { clock, lines, log } = setUp()
    for (let n = 0; n < 100_000; n++) log.note(host(`${'x'.repeat(200)}${n}.example`), '10.0.0.1')
    expect(lines).toHaveLength(20)
    clock.advance(10_000)
    expect(lines[20]).toContain('"lines":99980,"about":"refused callers"')
    log.note(host('one-more.example'), '10.0.0.1')
    expect(lines[21]).toContain('one-more.example')
  })
})
