/** How large answers are: what a reader takes, what is left out and said to be, and what a source may have. */
import type { DecodedPacket } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { Scene } from './registry.fixture.js'

const TRUNCATED = 0x200

function many(count: number): { id: string; host: string; port: number }[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `i${n}`,
    host: `10.0.${n >> 8}.${n & 255}`,
    port: 1_000 + n,
  }))
}

function isTruncated({ flags }: DecodedPacket): boolean {
  return ((flags ?? 0) & TRUNCATED) !== 0
}

function countCaptures({ read }: Scene): { readonly count: number } {
  const counted = { count: 0 }
  const capture = read.capture.bind(read)
  read.capture = (...name) => {
    counted.count++
    return capture(...name)
  }
  return counted
}

describe('an answer', () => {
  it('is no longer than its reader takes, and says so where something is left out', () => {
    const scene = new Scene()
    scene.register(...many(300))
    const answers = (takes?: number, type: 'A' | 'SRV' = 'A'): [number, boolean] => {
      const put = { transport: 'udp' as const, ...(takes === undefined ? {} : { takes }) }
      const bytes = scene.bytes('orders.service.rollcall', type, put)
      const answer = scene.ask('orders.service.rollcall', type, put)
      expect(bytes?.length).toBeLessThanOrEqual(Math.min(1_232, Math.max(512, takes ?? 512)))
      return [answer.answers?.length ?? 0, isTruncated(answer)]
    }
    // 12 for the header, 29 for the question, 11 for OPT, 16 for each address.
    expect(answers()).toEqual([29, true])
    expect(answers(512)).toEqual([28, true])
    expect(answers(100)).toEqual([28, true])
    expect(answers(1_000)).toEqual([59, true])
    expect(answers(4_096)).toEqual([73, true])
    expect(answers(4_096, 'SRV')).toEqual([28, true])
    const whole = scene.ask('orders.service.rollcall', 'SRV')
    expect([whole.answers?.length, whole.additionals?.length, isTruncated(whole)]).toEqual([300, 300, false])
  })

  it('leaves addresses of targets out without a word: they can be asked for', () => {
    const scene = new Scene()
    scene.register(...many(10))
    const { answers, additionals, ...rest } = scene.ask('orders.service.rollcall', 'SRV', {
      transport: 'udp',
    })
    expect([answers?.length, isTruncated(rest as DecodedPacket)]).toEqual([10, false])
    expect(additionals?.length).toBeLessThan(10)
  })

  it('over TCP ends where a message does', async () => {
    const scene = new Scene()
    scene.register(...many(5_000))
    const answer = await scene.askLong('orders.service.rollcall', 'A')
    expect([answer.answers?.length, isTruncated(answer)]).toEqual([4_093, true])
    expect(new Set(answer.answers?.map((each) => (each as { data: string }).data)).size).toBe(4_093)
  })

  it('tells EDNS what this server takes, and does not know later versions', () => {
    const scene = new Scene()
    scene.register({ id: 'a' })
    const { additionals } = scene.ask('orders.service.rollcall', 'A', { takes: 4_096 })
    expect(additionals).toMatchObject([{ type: 'OPT', name: '.', udpPayloadSize: 1_232, extendedRcode: 0 }])
    expect(scene.ask('orders.service.rollcall', 'A').additionals).toEqual([])
    const later = '12670100000100000000000104726f6c6c00000100010000291000000100000000'
    const query = Buffer.from(later, 'hex')
    const bytes = scene.dns.answer(query, 'udp', '127.0.0.1') as Buffer
    expect(bytes?.[3]).toBe(0)
    expect(bytes?.subarray(-11).toString('hex')).toBe('00002904d0010000000000')
  })
})

describe('a source', () => {
  const put = { transport: 'udp' as const, peer: '192.0.2.1' }
  const asked = (scene: Scene, peer = put.peer): number =>
    scene.ask('orders.service.rollcall', 'A', { ...put, peer }).answers?.length ?? 0

  it('that asks for more than its rate is told to come by TCP', () => {
    const scene = new Scene({ queriesPerSourceMax: 10 })
    scene.register({ id: 'a' })
    expect(Array.from({ length: 12 }, () => asked(scene)).reduce((a, b) => a + b)).toBe(10)
    const answer = scene.ask('orders.service.rollcall', 'A', put)
    expect([isTruncated(answer), answer.answers, answer.authorities]).toEqual([true, [], []])
    const bytes = scene.bytes('orders.service.rollcall', 'A', put)
    expect(bytes?.length).toBe(12 + 29)
    // Others are not concerned, nor is TCP, nor this machine.
    expect([asked(scene, '192.0.2.2'), asked(scene, '::1'), asked(scene, '::ffff:127.0.0.1')]).toEqual([
      1, 1, 1,
    ])
    expect(scene.ask('orders.service.rollcall', 'A', { ...put, transport: 'tcp' }).answers).toHaveLength(1)
    scene.clock.advance(100)
    expect([asked(scene), asked(scene)]).toEqual([1, 0])
    expect(scene.counts['rollcall_dns_queries_total limited']).toBe(5)
  })

  it('is a /64 under IPv6', () => {
    const scene = new Scene({ queriesPerSourceMax: 2 })
    scene.register({ id: 'a' })
    expect(
      ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map((peer) => asked(scene, peer)),
    ).toEqual([1, 1, 0, 1])
    expect(
      ['fe80::1%eth0', '::ffff:192.0.2.9', '192.0.2.9', '192.0.2.9'].map((peer) => asked(scene, peer)),
    ).toEqual([1, 1, 1, 0])
  })

  it('may be counted with another, and never costs memory', () => {
    const scene = new Scene({ queriesPerSourceMax: 1 })
    scene.register({ id: 'a' })
    let full = 0
    for (let n = 0; n < 20_000; n++) full += asked(scene, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)
    expect(full).toBeGreaterThan(16_000)
  })
})

describe('the list of a service', () => {
  it('is read once for each change, and may be behind in proportion to its length', async () => {
    const scene = new Scene()
    scene.register(...many(2_000))
    const captures = countCaptures(scene)
    await scene.askLong('orders.service.rollcall', 'A')
    for (let n = 0; n < 10; n++) scene.ask('orders.service.rollcall', 'A', { transport: 'udp' })
    expect(captures.count).toBe(1)
    scene.deregister('i7')
    scene.ask('orders.service.rollcall', 'A')
    scene.clock.advance(49)
    scene.ask('orders.service.rollcall', 'A')
    expect(captures.count).toBe(1)
    scene.clock.advance(1)
    // Those of before, while it is read.
    expect(scene.ask('orders.service.rollcall', 'A').answers).toHaveLength(2_000)
    expect(captures.count).toBe(2)
    scene.clock.advance()
    scene.clock.advance()
    expect((await scene.askLong('orders.service.rollcall', 'A')).answers).toHaveLength(1_999)
    expect(captures.count).toBe(2)
  })

  it('is seen as it is by the next query, up to a thousand instances', () => {
    const scene = new Scene()
    scene.register(...many(1_000))
    const ask = (): number => scene.ask('orders.service.rollcall', 'A').answers?.length ?? 0
    expect([ask(), ask()]).toEqual([1_000, 1_000])
    scene.deregister('i7')
    expect([ask(), ask()]).toEqual([999, 999])
    scene.register({ id: 'other', service: 'v1.orders' })
    expect(scene.data('v1.orders.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    scene.deregister(...many(1_000).map(({ id }) => id))
    expect(ask()).toBe(0)
  })

  it('is read some at a time, once for all that wait; each gets what it asked for', async () => {
    const scene = new Scene()
    scene.register(
      ...many(9_000).map((each, n) => ({
        ...each,
        zone: `z${n % 2}`,
        metadata: { tags: n % 3 ? 'a' : 'b' },
      })),
    )
    const captures = countCaptures(scene)
    let turns = 0
    const setTimer = scene.clock.setTimer.bind(scene.clock)
    scene.clock.setTimer = (...timer) => {
      turns++
      return setTimer(...timer)
    }
    const put = { transport: 'udp' as const }
    const all = [
      ['orders.service.rollcall', 'A'],
      ['orders.service.rollcall', 'SRV'],
      ['b.orders.service.z1.zone.rollcall', 'SRV'],
      ['c.orders.service.rollcall', 'A'],
      ['orders.service.rollcall', 'AAAA'],
    ] as const
    const answers = await Promise.all(all.map(([name, type]) => scene.askLong(name, type, put)))
    expect(captures.count).toBe(1)
    expect(answers.map((each) => [each.answers?.length ?? 0, (each as { rcode?: string }).rcode])).toEqual([
      [29, 'NOERROR'],
      [11, 'NOERROR'],
      [10, 'NOERROR'],
      [0, 'NXDOMAIN'],
      [0, 'NOERROR'],
    ])
    // A step is 2,048 instances: the list, by what they are chosen, and the records of what was chosen.
    expect(turns).toBeGreaterThan(20)
    // From now on all of it is at hand.
    for (const [name, type] of all) expect(scene.bytes(name, type, put)).toBeDefined()
  })

  it('is waited for by so many, others are told to ask elsewhere', async () => {
    const scene = new Scene()
    scene.register(...many(3_000))
    const put = { transport: 'udp' as const }
    const waiting = Array.from({ length: 1_000 }, async () => scene.send('orders.service.rollcall', 'A', put))
    expect(scene.data('orders.service.rollcall', 'A', put)).toBe('SERVFAIL')
    for (let turn = 0; turn < 100; turn++) scene.clock.advance()
    const answers = await Promise.all(waiting)
    expect(answers.filter((bytes) => bytes !== undefined && bytes.length > 400)).toHaveLength(1_000)
    expect(scene.clock.timers).toEqual([])
  })

  it('of many services is kept within a bound', () => {
    const scene = new Scene({ endpointsMax: 100 })
    for (const service of ['s1', 's2', 's3'])
      scene.register(...many(40).map((each) => ({ ...each, service })))
    const captures = countCaptures(scene)
    const ask = (service: string): unknown => scene.ask(`${service}.service.rollcall`, 'A')
    for (const service of ['s1', 's2', 's1', 's2', 's3', 's2', 's1']) ask(service)
    expect(captures.count).toBe(4)
  })
})
