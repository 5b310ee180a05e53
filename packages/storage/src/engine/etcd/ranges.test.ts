/** Reading on a scripted etcd: pages of one revision, pages that are too large, history that goes away meanwhile. */
import { describe, expect, it } from 'vitest'
import { PATHS, RangeRequest, RangeResponse, TxnRequest, TxnResponse } from './messages.js'
import {
  type Answer,
  CHARTER_KEY,
  CHARTER_TEXT,
  headerOf,
  joinedScene,
  kv,
  PREFIX,
  scripted,
  CHARTER,
  type SeenCall,
} from './scripted-etcd.fixture.js'
import { RPC, RpcError } from './transport.js'

const OVERSIZE = new RpcError(RPC.resourceExhausted, 'an answer is beyond the limit', { local: 'oversize' })

/** Answers ranges over these keys, and notes what was asked. */
function rangesOver(
  keys: readonly { readonly key: Uint8Array; readonly value: string; readonly modRevision: number }[],
  bytesMax = Infinity,
): { readonly asked: RangeRequest[]; readonly answer: (call: SeenCall) => Answer | undefined } {
  const asked: RangeRequest[] = []
  return {
    asked,
    answer({ path, message }) {
      if (path !== PATHS.range) return undefined
      const request = RangeRequest.decode(message)
      asked.push(request)
      const rest = keys.filter(({ key }) => Buffer.compare(key, request.key) >= 0)
      const kvs = rest
        .slice(0, request.limit)
        .map(({ value, ...held }) => ({ ...held, value: request.keysOnly ? '' : value }))
      if (kvs.reduce((sum, { value }) => sum + value.length, 0) > bytesMax) return OVERSIZE
      // Other keys change all the time.
      const header = headerOf(100 + asked.length)
      return RangeResponse.encode({ header, kvs, more: rest.length > request.limit })
    },
  }
}

const charter = kv(CHARTER_KEY, CHARTER_TEXT, 2)
const many = (count: number, value: string): ReturnType<typeof kv>[] =>
  Array.from({ length: count }, (_, at) => kv(`${PREFIX}k${String(at).padStart(6, '0')}`, value, 10 + at))

describe('a load', () => {
  it('reads pages of one revision, everything but the charter and what is no text', async () => {
    const { engine, etcd } = await joinedScene()
    const foreign = {
      key: Buffer.from([...Buffer.from(`${PREFIX}k000500`), 0xff]),
      value: 'x',
      modRevision: 3,
    }
    const keys = [charter, ...many(2_500, 'v'), foreign].toSorted((a, b) => Buffer.compare(a.key, b.key))
    const ranges = rangesOver(keys)
    etcd.script = ranges.answer
    const seen: string[] = []
    const revision = await engine.load((page) =>
      seen.push(...page.map(({ key, value }) => `${key}=${value}`)),
    )
    expect(revision).toBe(101)
    expect(ranges.asked.map(({ revision: at }) => at)).toEqual([0, 101])
    expect(seen).toEqual(
      many(2_500, 'v').map(({ key }) => `${Buffer.from(key).toString().slice(PREFIX.length)}=v`),
    )
    expect(ranges.asked.every(({ keysOnly }) => !keysOnly)).toBe(true)
  })

  it('makes its pages as large as the entries allow, and asks for fewer when an answer is too large', async () => {
    const { engine, etcd } = await joinedScene()
    const ranges = rangesOver([charter, ...many(400, 'x'.repeat(30_000))], 8_000_000)
    etcd.script = ranges.answer
    let count = 0
    await engine.load((page) => void (count += page.length))
    expect(count).toBe(400)
    const limits = ranges.asked.map(({ limit }) => limit)
    expect(limits.slice(0, 2)).toEqual([1_000, 125])
    expect(Math.max(...limits.slice(2))).toBeLessThan(40)
  })

  it('gives up when not even one entry fits', async () => {
    const { engine, etcd } = await joinedScene()
    etcd.script = ({ path }) => (path === PATHS.range ? OVERSIZE : undefined)
    await expect(engine.load(() => {})).rejects.toMatchObject({ failure: 'unavailable' })
  })

  it('ends with its failure when its revision is compacted, or does not exist', async () => {
    for (const [text, failure] of [
      ['etcdserver: mvcc: required revision has been compacted', 'compacted'],
      ['etcdserver: mvcc: required revision is a future revision', 'epoch'],
    ]) {
      const { engine, etcd } = await joinedScene()
      const ranges = rangesOver([charter, ...many(2_500, 'v')])
      etcd.script = (call) =>
        ranges.asked.length > 0 ? new RpcError(RPC.outOfRange, text as string) : ranges.answer(call)
      await expect(engine.load(() => {})).rejects.toMatchObject({ failure })
    }
  })

  it('does not take an etcd without the charter for one that lost everything', async () => {
    for (const keys of [[], [kv(CHARTER_KEY, '{}', 50)]]) {
      const { engine, etcd } = await joinedScene()
      etcd.script = rangesOver(keys).answer
      await expect(engine.load(() => {})).rejects.toMatchObject({ failure: 'epoch' })
    }
  })
})

describe('a scan', () => {
  it('asks for keys only', async () => {
    const { engine, etcd } = await joinedScene()
    const ranges = rangesOver([charter, ...many(3, 'value')])
    etcd.script = ranges.answer
    const seen: unknown[] = []
    await engine.scan((page) => seen.push(...page))
    expect(ranges.asked).toMatchObject([{ keysOnly: true }])
    expect(seen).toMatchObject([{ key: 'k000000', revision: 10 }, { revision: 11 }, { revision: 12 }])
    expect(Object.keys(seen[0] as object)).toEqual(['key', 'revision'])
  })
})

describe('a read', () => {
  it('is one transaction, and several where its answer is too large', async () => {
    const { engine, etcd } = await joinedScene()
    etcd.script = ({ path, message }) => {
      if (path !== PATHS.txn) return undefined
      const { success } = TxnRequest.decode(message)
      if (success.length > 2) return OVERSIZE
      const responses = success.map(({ range }) => {
        const key = Buffer.from(range?.key ?? []).toString()
        return { range: { kvs: key.endsWith('b') ? [] : [kv(key, 'v', 5)] } }
      })
      return TxnResponse.encode({ header: headerOf(100), succeeded: true, responses })
    }
    const found = await engine.read(['a', 'b', 'c', 'd'])
    expect(found.map(({ key, revision }) => `${key}@${revision}`)).toEqual(['a@5', 'c@5', 'd@5'])
    expect(await engine.read([])).toEqual([])
  })
})

describe('a join', () => {
  const standing = (text: string): ReturnType<typeof scripted> => {
    const scene = scripted()
    scene.etcd.charter = text
    return scene
  }

  it('writes the offer only where there is no charter', async () => {
    const there = standing(CHARTER_TEXT)
    expect(await there.engine.join({ ...CHARTER, epoch: 'mine', secret: 'mine' })).toEqual(CHARTER)
    expect(there.etcd.txns()).toMatchObject([{ success: [{ put: undefined }] }])
    const { engine, etcd } = scripted()
    etcd.charter = undefined
    expect(await engine.join(CHARTER)).toEqual(CHARTER)
    expect(etcd.txns()[1]).toMatchObject({
      compare: [{ key: CHARTER_KEY, target: 2, modRevision: 0 }],
      success: [{ put: { key: CHARTER_KEY, value: CHARTER_TEXT } }],
    })
  })

  it('refuses what is no charter, another name and another format', async () => {
    const other = (part: object): string => JSON.stringify({ ...CHARTER, ...part })
    const texts = [
      'no json',
      '[]',
      'null',
      other({ secret: '' }),
      other({ epoch: 5 }),
      other({ format: '1' }),
      other({ cluster: 'bank' }),
      other({ format: 2 }),
      `${' '.repeat(20_000)}${CHARTER_TEXT}`,
    ]
    for (const text of texts)
      await expect(standing(text).engine.join(CHARTER)).rejects.toMatchObject({ failure: 'incompatible' })
    expect(await standing(other({ format: 1.7 })).engine.join(CHARTER)).toMatchObject({ format: 1.7 })
  })

  it('is refused with what etcd refuses', async () => {
    for (const [status, text] of [
      [RPC.permissionDenied, 'etcdserver: permission denied'],
      [RPC.invalidArgument, 'etcdserver: user name is empty'],
      [RPC.invalidArgument, 'etcdserver: authentication failed, invalid user ID or password'],
    ] as const) {
      const { engine, etcd } = scripted()
      etcd.script = () => new RpcError(status, text)
      await expect(engine.join(CHARTER)).rejects.toMatchObject({ failure: 'refused' })
      expect(etcd.calls.length).toBeLessThanOrEqual(3)
    }
    const { engine, etcd } = scripted()
    etcd.script = () => new RpcError(RPC.unavailable, 'DEPTH_ZERO_SELF_SIGNED_CERT', { local: 'certificate' })
    await expect(engine.join(CHARTER)).rejects.toMatchObject({ failure: 'refused' })
    expect(etcd.calls.map(({ endpoint }) => endpoint)).toEqual(['http://a:1', 'http://b:1', 'http://c:1'])
  })
})
