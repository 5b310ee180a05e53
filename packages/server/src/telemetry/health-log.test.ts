/** What a node says of its own health. */
import type { Notice } from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { createHealthLog } from './health-log.js'
import { linesOf } from './lines.fixture.js'

function setUp() {
  const { logger, lines } = linesOf()
  return { lines, log: createHealthLog({ clock: new HandClock(), logger }) }
}

describe('the log of health', () => {
  it('tells guards, stalls and overrides that end', () => {
    const { lines, log } = setUp()
    const service = { namespace: 'shop', service: 'orders', total: 10 } as never
    const notices: Notice[] = [
      { kind: 'service_guard', service, tripped: true },
      { kind: 'service_guard', service, tripped: false },
      { kind: 'watcher_doubt', zone: 'z1', doubting: true },
      { kind: 'watcher_doubt', zone: 'z1', doubting: false },
      { kind: 'stall', lateMs: 900 },
      { kind: 'override_over', namespace: 'shop', service: 'orders', group: 'g', id: 'a', wishes: 'drain' },
    ]
    for (const notice of notices) log.noticed(notice)
    expect(lines.map((line) => line.replace(/ \{/, '\n{').split('\n'))).toEqual([
      [
        'warn guard tripped: too much of a service fell silent at once, silent instances are kept',
        '{"guard":"service","namespace":"shop","service":"orders","listed":10}',
      ],
      [expect.stringMatching(/^info guard released/), expect.stringContaining('orders')],
      [expect.stringMatching(/^warn guard tripped/), '{"guard":"watcher","zone":"z1"}'],
      [expect.stringMatching(/^info guard released/), '{"guard":"watcher","zone":"z1"}'],
      ['warn the event loop stood still: all judgement waited', '{"lateMs":900}'],
      [
        'info an override ended: its time was over',
        '{"namespace":"shop","service":"orders","group":"g","id":"a","wishes":"drain"}',
      ],
    ])
  })

  it('tells of the heap when it is nearly full, full, and no longer so, and not of what goes to and fro', () => {
    const { lines, log } = setUp()
    for (const used of [10, 74, 75, 74, 70, 99, 100, 97, 101, 94, 99, 66, 64, 74])
      log.heap({ used, max: 100 })
    expect(lines).toEqual([
      'warn the heap is nearly full {"usedBytes":75,"maxBytes":100}',
      'warn the heap is full: what would add to it is refused {"usedBytes":100,"maxBytes":100}',
      'info the heap is no longer full {"usedBytes":94,"maxBytes":100}',
      'info the heap has room again {"usedBytes":64,"maxBytes":100}',
    ])
  })
})
