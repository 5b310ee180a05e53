/** What a driver tells the logs of its node. */
import { type Command, NODE_DEFAULTS, NO_METER, type Notice } from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { describe, expect, it } from 'vitest'
import { createNodeDriver, type NodeDriver } from './node-driver.js'
import { command, HandJournal, PEER } from './node-driver.fixture.js'

const REF = { namespace: 'default', service: 'orders', group: 'default', id: 'a' }

interface Told {
  readonly clock: HandClock
  readonly driver: NodeDriver
  readonly commands: string[]
  readonly notices: Notice[]
  readonly heap: number[]
}

function setUp(): Told {
  const clock = new HandClock(5_000)
  const commands: string[] = []
  const notices: Notice[] = []
  const heap: number[] = []
  const note = (how: string, { kind }: Command, peer?: string): void =>
    void commands.push(`${how} ${kind} ${peer}`)
  const driver = createNodeDriver(
    {
      clock,
      meter: NO_METER,
      prober: { probe: (_, answer) => answer('failed') },
      heap: { limit: 1_000, watch: (alive) => (alive(700), () => {}) },
      audit: {
        done: (given, _answer, { peer }) => note('done', given as Command, peer),
        refused: (given, _error, { peer }) => note('refused', given, peer),
      },
      health: {
        noticed: (notice) => void notices.push(notice),
        heap: ({ used }) => void heap.push(used),
      },
    },
    { ...NODE_DEFAULTS, nodeId: 'n1' },
  )
  driver.load([])
  driver.attach(new HandJournal())
  driver.start()
  return { clock, driver, commands, notices, heap }
}

describe('a driver', () => {
  it('tells the audit of each command, once, and of one that was refused as a whole', async () => {
    const { clock, driver, commands } = setUp()
    const many = Array.from({ length: 1_200 }, (_, n) => command({ id: `i${n}` }))
    await driver.execute({ kind: 'freeze', namespace: 'default' }, PEER)
    const removal = { kind: 'deregisterHost', namespace: 'default', host: '10.0.0.1', confirm: true } as const
    await driver.execute({ kind: 'register', items: [command()] }, PEER)
    await expect(driver.execute(removal, PEER)).rejects.toMatchObject({ code: 'frozen' })
    expect(commands).toEqual([
      'done freeze 10.0.0.1',
      'done register 10.0.0.1',
      'refused deregisterHost 10.0.0.1',
    ])
    commands.length = 0
    // In three parts, of which the second waits for a turn.
    const all = driver.execute({ kind: 'register', items: many }, PEER)
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(1)
    }
    await all
    expect(commands).toEqual(['done register 10.0.0.1'])
  })

  it('tells it of what was done, also where it is less durable than it had to be', async () => {
    const { driver, commands } = setUp()
    const done = driver.execute({ kind: 'register', items: [command()] }, PEER, 'replicated')
    await expect(done).rejects.toMatchObject({ code: 'not_durable' })
    expect(commands).toEqual(['done register 10.0.0.1'])
  })

  it('tells of the health of the node what it notices itself, and how full the heap is', async () => {
    const { clock, driver, notices, heap } = setUp()
    await driver.execute({ kind: 'register', items: [command()] }, PEER)
    await driver.execute({ kind: 'override', refs: [REF], drain: true, durationMs: 1_000 }, PEER)
    clock.advance(2_000)
    expect(heap.at(-1)).toBeGreaterThan(700)
    expect(notices).toEqual([{ kind: 'override_over', ...REF, wishes: 'drain' }])
    // Taken back by an operator, it is no news.
    await driver.execute({ kind: 'override', refs: [REF], drain: true }, PEER)
    await driver.execute({ kind: 'clearOverrides', refs: [REF] }, PEER)
    expect(notices).toHaveLength(1)
  })
})
