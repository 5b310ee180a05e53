/** Batches on a scripted etcd: conflicts, lost answers, leases that are gone, sizes, and what cannot be written. */
import { ENGINE_LIMITS } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { LeaseResponse, PATHS, TxnRequest, TxnResponse } from './messages.js'
import {
  type Answer,
  CHARTER_KEY,
  CHARTER_TEXT,
  headerOf,
  joinedScene,
  kv,
  pass,
  PREFIX,
  type SeenCall,
  UNAVAILABLE,
} from './scripted-etcd.fixture.js'
import { RPC, RpcError } from './transport.js'

/** A store of keys that does transactions as etcd does. */
class Store {
  revision = 100
  readonly keys = new Map<string, { value: string; revision: number; lease: bigint }>([
    [CHARTER_KEY, { value: CHARTER_TEXT, revision: 2, lease: 0n }],
  ])

  readonly answer = ({ path, message }: SeenCall): Answer | undefined => {
    if (path !== PATHS.txn) return undefined
    const { compare, success, failure } = TxnRequest.decode(message)
    const holds = compare.every(({ key, target, modRevision, value }) => {
      const held = this.keys.get(key)
      return target === 2 ? (held?.revision ?? 0) === modRevision : held?.value === value
    })
    if (holds) {
      const puts = success.flatMap(({ put }) => put ?? [])
      if (puts.length > 0) this.revision += 1
      for (const { key, value, lease } of puts) this.keys.set(key, { value, revision: this.revision, lease })
    }
    const responses = (holds ? success : failure).map(({ range }) => {
      const key = Buffer.from(range?.key ?? []).toString()
      const held = this.keys.get(key)
      return range === undefined ? {} : { range: { kvs: held ? [kv(key, held.value, held.revision)] : [] } }
    })
    return TxnResponse.encode({ header: headerOf(this.revision), succeeded: holds, responses })
  }
}

const write = (
  key: string,
  expected = 0,
  value = `value of ${key}`,
): { key: string; value: string; expected: number } => ({
  key,
  value,
  expected,
})

describe('a batch', () => {
  it('is one transaction when nothing speaks against it', async () => {
    const { engine, etcd } = await joinedScene()
    const store = new Store()
    etcd.script = store.answer
    const writes = Array.from({ length: ENGINE_LIMITS.writesMax }, (_, at) => write(`k${at}`))
    const outcomes = await engine.write('e1', writes)
    expect(outcomes).toEqual(writes.map(() => ({ ok: true, revision: 101 })))
    const [txn, ...others] = etcd.txns()
    expect(others).toEqual([])
    // etcd takes 128 of each.
    expect([txn?.compare.length, txn?.success.length, txn?.failure.length]).toEqual([128, 127, 128])
  })

  it('loses only what others wrote, and tells what stands there', async () => {
    const { engine, etcd } = await joinedScene()
    const store = new Store()
    store.keys.set(`${PREFIX}b`, { value: 'other', revision: 50, lease: 0n })
    etcd.script = store.answer
    const outcomes = await engine.write('e1', [write('a'), write('b'), write('c', 9), write('d')])
    expect(outcomes).toEqual([
      { ok: true, revision: 101 },
      { ok: false, stored: { key: 'b', value: 'other', revision: 50 } },
      { ok: false, stored: undefined },
      { ok: true, revision: 101 },
    ])
    expect(etcd.txns().map(({ success }) => success.length)).toEqual([4, 2])
  })

  it('knows its own write again when the answer was lost', async () => {
    const { engine, etcd, clock } = await joinedScene()
    const store = new Store()
    let lost = 0
    etcd.script = (call) => {
      const answer = store.answer(call)
      if (lost > 0 || call.path !== PATHS.txn) return answer
      lost += 1
      return 'silence'
    }
    const outcomes = engine.write('e1', [write('a'), write('b')])
    await pass(clock, 6_000)
    expect(await outcomes).toEqual([
      { ok: true, revision: 101 },
      { ok: true, revision: 101 },
    ])
    expect(etcd.calls.map(({ endpoint }) => endpoint)).toEqual(['http://a:1', 'http://b:1'])
  })

  it('takes the same value of another writer for a conflict when no answer was lost', async () => {
    const { engine, etcd } = await joinedScene()
    const store = new Store()
    store.keys.set(`${PREFIX}a`, { value: 'value of a', revision: 50, lease: 0n })
    etcd.script = store.answer
    const stored = { key: 'a', value: 'value of a', revision: 50 }
    expect(await engine.write('e1', [write('a')])).toEqual([{ ok: false, stored }])
  })

  it('gives up when others are faster all the time', async () => {
    const { engine, etcd } = await joinedScene()
    etcd.script = ({ path }) =>
      path === PATHS.txn
        ? TxnResponse.encode({
            header: headerOf(100),
            responses: [{ range: { kvs: [kv(CHARTER_KEY, CHARTER_TEXT, 2)] } }, { range: {} }],
          })
        : undefined
    await expect(engine.write('e1', [write('a')])).rejects.toMatchObject({ failure: 'unavailable' })
    expect(etcd.txns().length).toBe(8)
  })

  it('is refused as a whole where another charter stands, or none, or another etcd', async () => {
    const { engine, etcd } = await joinedScene()
    const store = new Store()
    etcd.script = store.answer
    await expect(engine.write('e2', [write('a')])).rejects.toMatchObject({ failure: 'epoch' })
    expect(etcd.calls).toEqual([])
    store.keys.set(CHARTER_KEY, { value: '{}', revision: 70, lease: 0n })
    await expect(engine.write('e1', [write('a')])).rejects.toMatchObject({ failure: 'epoch' })
    store.keys.delete(CHARTER_KEY)
    await expect(engine.write('e1', [write('a')])).rejects.toMatchObject({ failure: 'epoch' })
    for (const header of [headerOf(90), headerOf(200, 2n), headerOf(200, 1n, 1)]) {
      etcd.script = () => TxnResponse.encode({ header, succeeded: true })
      await expect(engine.write('e1', [write('a')])).rejects.toMatchObject({ failure: 'epoch' })
    }
  })

  it('is cut in halves where it is too large for one side', async () => {
    const { engine, etcd } = await joinedScene()
    const store = new Store()
    etcd.script = (call) => {
      if (call.path !== PATHS.txn || TxnRequest.decode(call.message).success.length <= 2)
        return store.answer(call)
      return new RpcError(RPC.invalidArgument, 'etcdserver: too many operations in txn request')
    }
    const writes = Array.from({ length: 5 }, (_, at) => write(`k${at}`))
    const outcomes = await engine.write('e1', writes)
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
    expect(store.keys.size).toBe(6)
  })

  it('is a mistake of the caller beyond the limits, and nothing is sent', async () => {
    const { engine, etcd } = await joinedScene()
    const many = Array.from({ length: ENGINE_LIMITS.writesMax + 1 }, (_, at) => write(`k${at}`))
    const mistakes = [
      many,
      [write('a'), write('a')],
      [write('charter')],
      [write('')],
      [write('a', 0, 'x'.repeat(ENGINE_LIMITS.bytesMax))],
      [{ ...write('a'), ttlMs: 0 }],
    ]
    for (const mistake of mistakes) await expect(engine.write('e1', mistake)).rejects.toThrow(RangeError)
    expect(etcd.calls).toEqual([])
  })

  it('is told when etcd is full, and what alarms it has', async () => {
    const { engine, etcd } = await joinedScene()
    etcd.alarms = ['memberID:10501334649042878790 alarm:NOSPACE ']
    etcd.script = ({ path }) =>
      path === PATHS.txn
        ? new RpcError(RPC.resourceExhausted, 'etcdserver: mvcc: database space exceeded')
        : undefined
    await expect(engine.write('e1', [write('a')])).rejects.toMatchObject({ failure: 'full' })
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(engine.status()).toMatchObject({ kind: 'etcd', version: '3.6.0', alarms: ['NOSPACE'] })
  })
})

describe('keys that go away by themselves', () => {
  const HOUR = 3_600_000
  const withTtl = (key: string, ttlMs: number): ReturnType<typeof write> & { ttlMs: number } => ({
    ...write(key),
    ttlMs,
  })

  it('share a lease for as long as it lets them live long enough', async () => {
    const { engine, etcd, clock } = await joinedScene()
    const store = new Store()
    let leases = 0n
    etcd.script = (call) => {
      if (call.path !== PATHS.grant) return store.answer(call)
      leases += 1n
      const seconds = leases
      return LeaseResponse.encode({ header: headerOf(100), id: seconds, ttlSeconds: 3 * 3_600 - 1 })
    }
    for (let at = 0; at < 9; at += 1) {
      await engine.write('e1', [withTtl(`k${at}`, 2 * HOUR), write(`p${at}`)])
      clock.advance(HOUR / 4)
    }
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => store.keys.get(`${PREFIX}k${at}`)?.lease)).toEqual([
      1n,
      1n,
      1n,
      1n,
      2n,
      2n,
      2n,
      2n,
      3n,
    ])
    expect(store.keys.get(`${PREFIX}p0`)?.lease).toBe(0n)
  })

  it('get another lease when the server does not know theirs any more', async () => {
    const { engine, etcd } = await joinedScene()
    const store = new Store()
    let leases = 0n
    etcd.script = (call) => {
      if (call.path === PATHS.grant) {
        leases += 1n
        return LeaseResponse.encode({ header: headerOf(100), id: leases, ttlSeconds: 10_799 })
      }
      const lease = call.path === PATHS.txn && TxnRequest.decode(call.message).success[0]?.put?.lease
      if (lease === 1n && leases === 1n)
        return new RpcError(RPC.notFound, 'etcdserver: requested lease not found')
      return store.answer(call)
    }
    expect(await engine.write('e1', [withTtl('a', 2 * HOUR)])).toEqual([{ ok: true, revision: 101 }])
    expect(store.keys.get(`${PREFIX}a`)?.lease).toBe(2n)
  })
})

describe('a member that fails', () => {
  it('is left for the next one, and the one that answered is kept', async () => {
    const { engine, etcd } = await joinedScene()
    const store = new Store()
    etcd.script = (call) => (call.endpoint === 'http://a:1' ? UNAVAILABLE : store.answer(call))
    await engine.write('e1', [write('a')])
    await engine.write('e1', [write('b')])
    expect(etcd.calls.map(({ endpoint }) => endpoint)).toEqual(['http://a:1', 'http://b:1', 'http://b:1'])
  })

  it('with all others ends the operation by its deadline, without hammering', async () => {
    const { engine, etcd, clock } = await joinedScene()
    etcd.script = () => UNAVAILABLE
    const outcome = engine.write('e1', [write('a')]).catch((error: unknown) => error)
    await pass(clock, 8_100)
    expect(await outcome).toMatchObject({ failure: 'unavailable' })
    expect(etcd.calls.length).toBeGreaterThan(12)
    expect(etcd.calls.length).toBeLessThan(40)
  })

  it('ends the operation at once when the engine closes', async () => {
    const { engine, etcd, clock } = await joinedScene()
    etcd.script = () => UNAVAILABLE
    const outcome = engine.write('e1', [write('a')]).catch((error: unknown) => error)
    await pass(clock, 50)
    await engine.close()
    expect(await outcome).toMatchObject({ failure: 'unavailable' })
    expect(clock.timers).toEqual([])
  })
})
