/** Log lines as JSON and as text. */
import type { Clock } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { createLogger } from './logging.js'
import type { LogDestination, LoggerOptions } from './logging.js'

const CLOCK: Clock = {
  now: () => 0,
  wallNow: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  setTimer: () => () => {},
}

function setUp(options: Partial<LoggerOptions> = {}, isTerminal = false) {
  const lines: string[] = []
  const events: string[] = []
  let relieved: (linesLost: number) => void = () => {}
  const destination: LogDestination = {
    isTerminal,
    write: (line) => void lines.push(line),
    flush: () => void events.push('flush'),
    onRelief: (listener) => (relieved = listener),
  }
  const logger = createLogger({ clock: CLOCK, destination }, { level: 'info', format: 'json', ...options })
  return { logger, lines, events, relieve: (count: number) => relieved(count) }
}

describe('logging as JSON', () => {
  it('writes one object per line: level, time, fields, message', () => {
    const { logger, lines } = setUp()
    logger.info({ service: 'orders', count: 3 }, 'loaded')
    expect(lines).toEqual([
      '{"level":"info","time":"2026-01-02T03:04:05.678Z","service":"orders","count":3,"message":"loaded"}\n',
    ])
  })

  it('shows errors with code, stack and causes', () => {
    const { logger, lines } = setUp()
    const cause = Object.assign(new Error('disk full'), { code: 'ENOSPC' })
    logger.error({ error: new Error('no commit', { cause }) }, 'journal failed')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      error: { name: 'Error', message: 'no commit', cause: { message: 'disk full', code: 'ENOSPC' } },
    })
    expect(lines[0]).toContain('logging.test.ts')
  })

  it('survives what JSON cannot hold', () => {
    const { logger, lines } = setUp()
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    logger.info({ loop }, 'odd')
    expect(lines[0]).toContain('[Circular]')
  })

  it('escapes line breaks that come from outside', () => {
    const { logger, lines } = setUp()
    logger.warn({ host: 'a\n{"level":"error"}' }, 'refused')
    expect(lines[0]?.trimEnd()).not.toContain('\n')
  })

  it('leaves nothing in a line that a terminal obeys, and stays JSON', () => {
    const { logger, lines } = setUp()
    const host = 'a\u009b31m\u202eb\u007f'
    logger.warn({ host }, 'refused')
    expect(lines[0]).toContain('"host":"a\\u009b31m\\u202eb\\u007f"')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ host })
  })
})

describe.each(['json', 'text'] as const)('a long value in %s', (format) => {
  it('is cut', () => {
    const { logger, lines } = setUp({ format })
    logger.warn({ url: `/${'x'.repeat(100_000)}` }, 'refused')
    expect(lines[0]?.length).toBeLessThan(1_200)
    expect(lines[0]).toContain('xx…')
  })
})

describe('logging as text', () => {
  it('writes a line for people', () => {
    const { logger, lines } = setUp({ format: 'text' })
    logger.info(
      { service: 'orders', address: '[::1]:80', note: 'two words', count: 3, none: undefined, list: ['a'] },
      'loaded',
    )
    expect(lines).toEqual([
      '2026-01-02T03:04:05.678Z INFO  loaded service=orders address=[::1]:80 note="two words" count=3 list=["a"]\n',
    ])
  })

  it('puts the stacks of an error and its causes below', () => {
    const { logger, lines } = setUp({ format: 'text' })
    logger.error({ error: new Error('outer', { cause: new Error('inner') }) }, 'failed')
    expect(lines[0]).toMatch(
      /ERROR failed error=outer\n {4}Error: outer\n {4}at .*\n[^]* {4}Error: inner\n {4}at /,
    )
  })

  it('lets nothing from outside break out of its line or reach the terminal', () => {
    const { logger, lines } = setUp({ format: 'text' })
    logger.warn({ host: 'a\nb\u001b[2J\u009b2J\u2028', error: new Error('x\u001b[2J') }, 'refused')
    expect(lines[0]?.split('\n')[0]).toBe(
      '2026-01-02T03:04:05.678Z WARN  refused host="a\\nb\\u001b[2J\\u009b2J\\u2028" error="x\\u001b[2J"',
    )
    // oxlint-disable-next-line no-control-regex
    expect(lines[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  it('survives what JSON cannot hold', () => {
    const { logger, lines } = setUp({ format: 'text' })
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    logger.info({ loop, big: 10n, call: undefined }, 'odd')
    expect(lines[0]).toContain('odd loop="[object Object]" big="10"')
  })
})

describe.each(['json', 'text'] as const)('levels and children as %s', (format) => {
  it('writes nothing less urgent than its level', () => {
    const { logger, lines } = setUp({ format, level: 'warn' })
    logger.debug({}, 'one')
    logger.info({}, 'two')
    logger.warn({}, 'three')
    logger.error({}, 'four')
    logger.child({ component: 'prober' }).info({}, 'five')
    expect(lines).toHaveLength(2)
    expect(setUp({ format, level: 'debug' }).logger.debug({}, 'one')).toBeUndefined()
  })

  it('adds the fields of a child', () => {
    const { logger, lines } = setUp({ format })
    logger.child({ component: 'prober' }).warn({ probes: 1 }, 'lost')
    logger.warn({ probes: 1 }, 'lost')
    expect(lines[0]).toMatch(/component\W+prober/)
    expect(lines[1]).not.toContain('component')
  })

  it('says how many lines were lost, and flushes', () => {
    const { logger, lines, events, relieve } = setUp({ format })
    relieve(12)
    expect(lines[0]).toMatch(/lines\W+12/)
    logger.flush()
    expect(events).toEqual(['flush'])
  })
})

describe('the format auto', () => {
  it('is text for a person and JSON for a machine', () => {
    const person = setUp({ format: 'auto' }, true)
    person.logger.info({}, 'hello')
    expect(person.lines[0]).toMatch(/INFO {2}hello\n$/)
    const machine = setUp({ format: 'auto' }, false)
    machine.logger.info({}, 'hello')
    expect(machine.lines[0]).toMatch(/^\{/)
  })
})
