/** Bytes of queries and answers, held against dns-packet; what is broken is refused or met with silence, whatever it is. */
import { decode, encode, type Packet } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerWriter, isTruncated, labelsOf, readQuery, type Received } from './codec.js'
import { TYPE } from './numbers.js'
import { PoolBuilder } from './pool.js'
import { createChance, Scene } from './registry.fixture.js'

const NAME = '066f7264657273077365727669636508726f6c6c63616c6c00'
/** A query for A in IN: header, counts and what follows the question as hexadecimal digits. */
function query(parts: { flags?: string; counts?: string; question?: string; rest?: string } = {}): Buffer {
  const { flags = '0100', counts = '0001000000000000', question = `${NAME}00010001`, rest = '' } = parts
  return Buffer.from(`1267${flags}${counts}${question}${rest}`, 'hex')
}

const OPT = '0000291000000000000000'

/** `query`, the code of a fault, or `silence`. */
function outcome(received: Received): string | number {
  return received.kind === 'fault' ? received.rcode : received.kind
}

describe('a query', () => {
  it('is read with its name in lower case and its bytes as they came', () => {
    const received = readQuery(query({ question: '064f72446552730000210001' }))
    expect(received).toMatchObject({
      kind: 'query',
      query: { type: TYPE.SRV, class: 1, edns: undefined, questionEnd: 24 },
    })
    expect(received.kind === 'query' && labelsOf(received.query)).toEqual(['orders'])
  })

  it('speaks EDNS of one version and once', () => {
    const counts = '0001000000000001'
    const edns = (rest: string, more = counts): unknown => {
      const received = readQuery(query({ counts: more, rest }))
      return received.kind === 'query' ? received.query.edns : outcome(received)
    }
    expect(edns(OPT)).toEqual({ version: 0, bytesMax: 4_096 })
    // A client that says it takes less than everyone must.
    expect(edns('0000290001000000000000')).toEqual({ version: 0, bytesMax: 512 })
    // With a cookie and a subnet.
    expect(edns('0000291000000000000017000a0008010203040506070800080007000118000a0000')).toEqual({
      version: 0,
      bytesMax: 4_096,
    })
    expect(edns('0000291000000100000000')).toBe(16)
    expect(edns(OPT + OPT, '0001000000000002')).toBe(1)
    // Not of the root, not in the last section, cut, and more records than there are.
    expect(edns(`016100${OPT.slice(2)}`)).toBe(1)
    expect(edns(OPT, '0001000000010000')).toBe(1)
    expect(edns(OPT.slice(0, -2))).toBe(1)
    expect(edns(OPT, '0001000000000002')).toBe(1)
    // Others are passed over, their names whatever they are.
    expect(edns(`c00c000100010000000000040a000001${OPT}`, '0001000000000002')).toMatchObject({
      version: 0,
    })
  })

  it('that is broken is told so, and what is no query at all is met with silence', () => {
    const label64 = `40${'61'.repeat(64)}00`
    const name255 = `${`3f${'61'.repeat(63)}`.repeat(3)}3d${'61'.repeat(61)}00`
    const name256 = `${`3f${'61'.repeat(63)}`.repeat(3)}3e${'61'.repeat(62)}00`
    for (const [message, expected] of [
      [Buffer.alloc(0), 'silence'],
      [Buffer.alloc(11), 'silence'],
      [query({ flags: '8180' }), 'silence'],
      [query({ flags: '2900' }), 4],
      [query({ flags: '2800', counts: '0000000000000000', question: '' }), 4],
      [query({ counts: '0000000000000000', question: '' }), 1],
      [query({ counts: '0002000000000000', rest: `${NAME}00010001` }), 1],
      [query({ question: 'c00c00010001' }), 1],
      [query({ question: '01' }), 1],
      [query({ question: '026100' }), 1],
      [query({ question: '0161000001' }), 1],
      [query({ question: `${label64}00010001` }), 1],
      [query({ question: `${name256}00010001` }), 1],
      [query({ question: `${name255}00010001` }), 'query'],
      [query({ question: '0000020001' }), 'query'],
      [query({ question: `${NAME}00290001` }), 1],
      [query({ rest: 'ffff' }), 'query'],
    ] as const)
      expect([message.toString('hex'), outcome(readQuery(message))]).toEqual([
        message.toString('hex'),
        expected,
      ])
  })

  it('is read as dns-packet reads it', () => {
    const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,63}$/)
    const names = fc
      .array(label, { minLength: 1, maxLength: 6 })
      .map((labels) => labels.join('.'))
      .filter((name) => name.length <= 253)
    fc.assert(
      fc.property(
        names,
        fc.nat(0xffff),
        fc.option(fc.integer({ min: 1, max: 0xffff })),
        (name, id, takes) => {
          const packet: Packet = {
            type: 'query',
            id,
            questions: [{ name, type: 'SRV' }],
            ...(takes === null
              ? {}
              : {
                  additionals: [
                    { type: 'OPT', name: '.', udpPayloadSize: takes, flags: 0, options: [] } as never,
                  ],
                }),
          }
          const received = readQuery(encode(packet))
          expect(received).toMatchObject({ kind: 'query', query: { type: TYPE.SRV } })
          expect(received.kind === 'query' && labelsOf(received.query)).toEqual(name.toLowerCase().split('.'))
          expect(received.kind === 'query' && received.query.edns?.bytesMax).toBe(
            takes === null ? undefined : Math.max(512, takes),
          )
        },
      ),
    )
  })
})

describe('an answer', () => {
  it('is what dns-packet reads, names and all, at any size', () => {
    const writer = new AnswerWriter(1_232, createChance(5))
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.nat(70),
        fc.integer({ min: 60, max: 3_000 }),
        fc.boolean(),
        (count, repeats, bytesMax, edns) => {
          const received = readQuery(query(edns ? { counts: '0001000000000001', rest: OPT } : {}))
          if (received.kind !== 'query') throw new Error('no query')
          const pool = new PoolBuilder(1)
          for (let n = 0; n < count; n++) {
            const target = String.fromCharCode(97 + (n % Math.max(1, Math.min(26, repeats))))
            const name = Buffer.from([1, target.charCodeAt(0), 0])
            const data = Buffer.concat([Buffer.from([0, 1, 0, 2, n, 3]), name])
            const address = Buffer.from([10, 0, 0, target.charCodeAt(0)])
            pool.add(
              { type: TYPE.SRV, data, glue: { type: TYPE.A, data: address, nameAt: 6, name: target } },
              1 + (n % 3),
            )
          }
          const answer = { rcode: 0, authoritative: true, records: pool.build() }
          const bytes = writer.write(received.query, answer, bytesMax)
          const truncated = isTruncated(bytes)
          expect(bytes.length).toBeLessThanOrEqual(bytesMax)
          const read = decode(bytes)
          expect([read.id, read.questions?.[0]?.name]).toEqual([0x1267, 'orders.service.rollcall'])
          expect(read.answers?.length === count).toBe(!truncated)
          expect((read.flags ?? 0) & 0x200).toBe(truncated ? 0x200 : 0)
          const ports = read.answers?.map((each) => (each as { data: { port: number } }).data.port)
          expect(new Set(ports).size).toBe(ports?.length)
          for (const each of read.answers ?? [])
            expect([each.name, (each as { ttl: number }).ttl]).toEqual(['orders.service.rollcall', 1])
          expect(read.additionals?.some(({ type }) => type === 'OPT')).toBe(edns)
          const glued = read.additionals?.flatMap((each) => (each.type === 'A' ? [each] : [])) ?? []
          expect(new Set(glued.map(({ name }) => name)).size).toBe(glued.length)
          const targets = new Set(
            read.answers?.map((each) => (each as { data: { target: string } }).data.target),
          )
          for (const { name, data } of glued)
            expect([targets.has(name), data]).toEqual([true, `10.0.0.${name.charCodeAt(0)}`])
          // Where there is room, each target has its address.
          if (bytesMax === 3_000 && !truncated) expect(glued.length).toBe(targets.size)
        },
      ),
      { numRuns: 500, examples: [[20, 10, 3_000, true]] },
    )
  })
})

/** An answer that is there at once. */
function answerOf(answer: ReturnType<Scene['dns']['answer']>): Buffer | undefined {
  if (answer instanceof Promise) throw new Error('it comes later')
  return answer
}

describe('whatever arrives', () => {
  const scene = new Scene({ consul: { datacenter: 'dc1', node: 'agent' }, address: '10.0.0.9' })
  scene.register(
    { id: 'a', metadata: { tags: 'x' }, zone: 'z' },
    { id: 'b', host: 'h.example.com' },
    { id: 'c', service: 'A.B.c' },
  )

  /** Whether an answer belongs to its query, is no longer than may be, and can be read by another implementation. */
  function check(message: Buffer, transport: 'udp' | 'tcp'): boolean {
    const answer = answerOf(scene.dns.answer(message, transport, '127.0.0.1'))
    if (answer === undefined) return message.length < 12 || (message.readUInt16BE(2) & 0x8000) !== 0
    const read = decode(answer)
    if (read.id !== message.readUInt16BE(0) || read.type !== 'response') return false
    if (answer.length > (transport === 'udp' ? 1_232 : 65_535)) return false
    if (answer.readUInt16BE(4) === 0) return true
    let end = 12
    while (answer[end] !== 0) end += 1 + (answer[end] as number)
    return answer.subarray(12, end + 5).equals(message.subarray(12, end + 5))
  }

  it('is answered or met with silence: noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, udp) => {
        expect(check(Buffer.from(bytes), udp ? 'udp' : 'tcp')).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is answered or met with silence: queries with a few bytes changed, cut or doubled', () => {
    const names = [
      'orders.service.rollcall',
      '_orders._tcp.service.consul',
      'b.c.service.rollcall',
      'rollcall',
      'x.example',
    ]
    const types = fc.constantFrom(
      'A' as const,
      'AAAA' as const,
      'SRV' as const,
      'TXT' as const,
      'SOA' as const,
    )
    const changes = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        types,
        changes,
        fc.nat(90),
        fc.boolean(),
        (name, type, changed, kept, cut) => {
          const message = encode({
            type: 'query',
            id: 1,
            questions: [{ name, type }],
            additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4_096, flags: 0, options: [] } as never],
          })
          for (const [place, value] of changed) if (place < message.length) message[place] = value
          expect(check(cut ? message.subarray(0, kept) : message, 'udp')).toBe(true)
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it('is answered in bounded work: names of as many labels as there can be', () => {
    for (const label of ['a', '_', 'service', 'zone', 'ns', 'group']) {
      const labels = Math.floor(240 / (label.length + 1))
      const name = `${Array.from({ length: labels }, () => label).join('.')}.rollcall`
      expect(check(encode({ type: 'query', id: 2, questions: [{ name, type: 'SRV' }] }), 'udp')).toBe(true)
    }
  })

  it('may have labels with dots, which are no two labels', () => {
    const dotted = '0e6f72646572732e7365727669636508726f6c6c63616c6c0000010001'
    expect(answerOf(scene.dns.answer(query({ question: dotted }), 'udp', undefined))?.[3]).toBe(3)
  })
})
