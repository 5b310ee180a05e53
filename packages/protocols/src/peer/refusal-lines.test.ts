/** The log of refused links: bounded, whatever a stranger does. */
import { expect, it } from 'vitest'
import { NO_LOGGER } from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { createRefusalLines } from './refusal-lines.js'

it('tells the same once a minute with how often, so many lines a minute, and no long text', () => {
  const clock = new HandClock()
  const lines: Readonly<Record<string, unknown>>[] = []
  const note = createRefusalLines(
    { clock, logger: { ...NO_LOGGER, warn: (fields) => lines.push(fields) } },
    'refused',
  )
  for (let time = 0; time < 5; time++) note('wrong secret', { from: '10.0.0.1', node: 'x'.repeat(5_000) })
  expect(lines).toEqual([{ reason: 'wrong secret', from: '10.0.0.1', node: 'x'.repeat(128) }])
  clock.advance(60_000)
  note('wrong secret', { from: '10.0.0.1', node: 'x'.repeat(5_000) })
  expect(lines[1]).toMatchObject({ times: 5 })
  for (let node = 0; node < 1_000; node++) note('wrong secret', { from: '10.0.0.1', node: `${node}` })
  expect(lines).toHaveLength(21)
})
