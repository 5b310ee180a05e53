/** What the way to the engine does with answers that come late, wrong or not at all. */
import {
  EngineError,
  type EnginePort,
  type EngineWrite,
  type EngineWritten,
  NO_LOGGER,
  type StoredRecord,
} from '@rollcall/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { command, PEER, pending, register, type Setting, setUp } from '../driver/node-driver.fixture.js'
import { EngineOutbox } from './engine-outbox.js'
import { KEY } from './members.fixture.js'

/** An engine whose every answer is given by hand. */
class HandEngine implements Pick<EnginePort, 'write'> {
  readonly asked: {
    readonly writes: readonly EngineWrite[]
    resolve(outcomes: readonly EngineWritten[]): void
    reject(error: unknown): void
  }[] = []

  write(_epoch: string, writes: readonly EngineWrite[]): Promise<readonly EngineWritten[]> {
    return new Promise((resolve, reject) => this.asked.push({ writes, resolve, reject }))
  }

  accept(at: number, revision: number): void {
    this.asked[at]!.resolve(this.asked[at]!.writes.map(() => ({ ok: true, revision })))
  }
}

let engine: HandEngine
let setting: Setting
let outbox: EngineOutbox
let mismatches: string[]

beforeEach(() => {
  engine = new HandEngine()
  setting = setUp({ joined: true })
  mismatches = []
  outbox = new EngineOutbox({
    clock: setting.clock,
    random: { fraction: () => 0.5 },
    logger: NO_LOGGER,
    engine,
    driver: setting.driver,
    mismatched: ({ failure }) => void mismatches.push(failure),
  })
  setting.driver.onStep(() => outbox.soon())
  outbox.open('e1')
})

async function registered(id = 'a'): Promise<StoredRecord> {
  await register(setting.driver, [command({ id })], PEER)
  return setting.driver.inspect(({ directory }) => directory.entry({ ...KEY, id })!.record)
}

function unpublished(): number {
  return setting.driver.joined.replica.backlog.size
}

describe('an answer that waits for the engine', () => {
  it('is given once the engine has it', async () => {
    const durability = outbox.append([{ kind: 'record', record: await registered() }])
    await setting.clock.pass(10)
    expect(await pending(durability)).toBe(true)
    engine.accept(0, 7)
    expect(await durability).toBe('replicated')
    expect(unpublished()).toBe(0)
  })

  it('is not given for what the engine did not have before, and does not have yet', async () => {
    outbox.close()
    const record = await registered()
    expect(await outbox.append([{ kind: 'record', record }])).toBe('memory')
    outbox.open('e1')
    const again = outbox.kept([record])
    await setting.clock.pass(10)
    expect(await pending(again)).toBe(true)
    engine.accept(0, 7)
    expect([await again, await outbox.kept([record])]).toEqual(['replicated', 'replicated'])
  })

  it('is given after ten seconds whatever becomes of the engine', async () => {
    const durability = outbox.append([{ kind: 'record', record: await registered() }])
    await setting.clock.pass(9_900)
    expect(await pending(durability)).toBe(true)
    await setting.clock.pass(1_500)
    expect(await durability).toBe('memory')
  })

  it('is given at once when too many wait, or the engine is let go', async () => {
    const record = await registered()
    const waiting = Array.from({ length: 50_000 }, () => outbox.append([{ kind: 'record', record }]))
    expect(await outbox.append([{ kind: 'record', record }])).toBe('memory')
    expect(await pending(waiting[0]!)).toBe(true)
    outbox.close()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['memory']))
  })
})

describe('a batch that is not answered', () => {
  it('is tried again, later each time', async () => {
    await registered()
    const times: number[] = []
    for (let ms = 0; ms < 30_000; ms += 100) {
      const before = engine.asked.length
      await setting.clock.pass(100)
      if (engine.asked.length > before) times.push(ms + 100)
    }
    expect(times).toEqual([100, 1_500, 4_500, 10_500, 22_500])
  })

  it('that is refused after all is told of, and nothing is written for a while', async () => {
    await registered()
    await setting.clock.pass(1_600)
    expect(engine.asked).toHaveLength(2)
    engine.asked[0]!.reject(new EngineError('full', 'no space'))
    await setting.clock.pass(1)
    expect(outbox.fault).toBe('no space')
    await setting.clock.pass(4_900)
    expect(engine.asked).toHaveLength(2)
    await setting.clock.pass(200)
    expect(engine.asked).toHaveLength(3)
  })

  it('whose history was another one ends the writing', async () => {
    await registered()
    await setting.clock.pass(1_600)
    engine.asked[0]!.reject(new EngineError('epoch', 'another history'))
    await setting.clock.pass(1)
    expect(mismatches).toEqual(['epoch'])
    await registered('b')
    await setting.clock.pass(20_000)
    expect(engine.asked).toHaveLength(2)
  })

  it('and is of an earlier opening says nothing of what the engine holds now', async () => {
    await registered()
    await setting.clock.pass(10)
    outbox.close()
    outbox.open('e2')
    await setting.clock.pass(10)
    expect(engine.asked).toHaveLength(2)
    engine.accept(0, 7)
    await setting.clock.pass(10)
    expect(unpublished()).toBe(1)
    engine.accept(1, 1)
    await setting.clock.pass(10)
    expect(unpublished()).toBe(0)
  })
})
