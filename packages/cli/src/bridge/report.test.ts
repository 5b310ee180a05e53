/** What a bridge says, and how often; and its figures. */
import { RegistryError } from '@rollcall/wire'
import { HandClock } from '@rollcall/testkit/time'
import { expect, it } from 'vitest'
import type { Output } from '../output.js'
import { createFigures } from './figures.js'
import { createReport, toAll } from './report.js'

const STATE = { mirrored: 3, atHome: 1, leftOut: 0, refused: 0, kept: 2, why: 'empty' } as const

it('tells what has changed at once, and what has not every five minutes', () => {
  const clock = new HandClock()
  const lines: string[] = []
  const output = { line: (text: string) => lines.push(text) } as unknown as Output
  const figures = createFigures(clock)
  const report = toAll(createReport(output, clock, false), figures)
  for (let round = 0; round < 61; round++) {
    report.round()
    report.side('eureka', undefined)
    report.direction('eureka', 'rollcall', STATE)
    clock.advance(10_000)
  }
  expect(lines).toHaveLength(6)
  expect(lines[1]).toMatch(
    /eureka -> rollcall: 3 mirrored, 1 in both already, eureka lists nothing of its own, 2 kept/,
  )
  report.side('eureka', new RegistryError('unreachable', 'no Eureka: \u001b[2J gone'))
  report.side('eureka', new RegistryError('unreachable', 'no Eureka: \u001b[2J gone'))
  expect(lines).toHaveLength(7)
  // What others say moves no terminal.
  expect(lines[6]).toMatch(/eureka is away, nothing of it is removed: no Eureka: \\u\{1b\}\[2J gone$/)
  report.ended('eureka', 'rollcall', 2, false)
  expect(lines[7]).toContain('ended, 2 left until their leases end')
  const text = figures.render()
  for (const line of [
    'rollcall_bridge_rounds_total 61',
    'rollcall_bridge_registry_up{registry="eureka"} 0',
    'rollcall_bridge_failures_total{registry="eureka"} 2',
    'rollcall_bridge_instances{from="eureka",to="rollcall",what="mirrored"} 3',
    'rollcall_bridge_instances{from="eureka",to="rollcall",what="kept"} 2',
    'rollcall_bridge_last_round_timestamp_seconds 1700000600',
  ])
    expect(text.split('\n')).toContain(line)
})
