/** One line for each action of an operator. */
import { ANONYMOUS, type Caller, type Command, type Logger } from '@rollcall/core'
import { errorBody, RegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { command } from '../driver/node-driver.fixture.js'
import { type AuditLog, createAuditLog } from './audit-log.js'
import { linesOf } from './lines.fixture.js'

const PEER: Caller = { principal: ANONYMOUS, peer: '10.0.0.7' }
const REF = { namespace: 'shop', service: 'orders', group: 'default', id: 'a' }
const SIGNED = { by: 'alice', why: 'disk' }
const FAILED = { ok: false, error: errorBody('unknown_instance', 'none') } as const

function setUp(verbose = false) {
  const { logger, lines } = linesOf()
  const refused: string[] = []
  const note = ({ code }: { readonly code: string }, peer?: string): void =>
    void refused.push(`${code} ${peer}`)
  const audit: AuditLog = createAuditLog({ logger: logger as Logger, refusals: { note }, verbose })
  const done = (given: Command, answer: unknown): string | undefined => {
    lines.length = 0
    audit.done(given, answer as never, PEER)
    expect(lines.length).toBeLessThan(2)
    return lines[0]
  }
  return { audit, done, lines, refused }
}

describe('the audit', () => {
  it('tells who did what to what, from where and why', () => {
    const { done } = setUp()
    const over = { ok: true, ...REF, incarnation: 1 }
    expect(done({ kind: 'freeze', namespace: '*', ...SIGNED }, { existed: false })).toBe(
      'info frozen {"action":"freeze","by":"alice","peer":"10.0.0.7","why":"disk","namespace":"*"}',
    )
    expect(done({ kind: 'unfreeze', namespace: '*' }, { existed: true })).toBe(
      'info freeze taken back {"action":"unfreeze","peer":"10.0.0.7","namespace":"*"}',
    )
    expect(done({ kind: 'override', refs: [REF], drain: true, durationMs: 5, ...SIGNED }, [over])).toBe(
      'info override set {"action":"override","by":"alice","peer":"10.0.0.7","why":"disk","drain":true,"durationMs":5,"instances":1,"namespace":"shop","service":"orders","group":"default","id":"a"}',
    )
    expect(done({ kind: 'clearOverrides', refs: [REF] }, [over])).toContain('info override taken back')
    expect(
      done(
        { kind: 'deregisterHost', host: '10.0.0.5', namespace: '*', confirm: true, ...SIGNED },
        { removed: [REF, { ...REF, service: 'carts' }], unknown: [], superseded: [] },
      ),
    ).toBe(
      'info instances removed by host {"action":"deregisterHost","by":"alice","peer":"10.0.0.7","why":"disk","host":"10.0.0.5","namespace":"*","confirm":true,"instances":2,"services":["shop/orders","shop/carts"]}',
    )
    expect(
      done({ kind: 'deregister', refs: [REF], by: 'alice' }, { removed: [REF], unknown: [], superseded: [] }),
    ).toContain('"by":"alice","peer":"10.0.0.7","instances":1,"namespace":"shop"')
    expect(
      done({ kind: 'restore', namespace: 'shop', service: 'orders', ...SIGNED }, { results: [over, FAILED] }),
    ).toContain('"service":"orders","instances":1,"refused":1}')
    expect(
      done(
        { kind: 'declareService', namespace: 'shop', service: 'orders', settings: { allow: ['10.0.0.0/8'] } },
        { existed: true },
      ),
    ).toBe(
      'info service declared {"action":"declareService","peer":"10.0.0.7","namespace":"shop","service":"orders","allow":1,"existed":true}',
    )
    expect(
      done({ kind: 'declareNamespace', namespace: 'shop', settings: null }, { existed: true }),
    ).toContain('info declaration of a namespace taken back')
  })

  it('is one bounded line, however many instances', () => {
    const { done } = setUp()
    const refs = Array.from({ length: 10_000 }, (_, n) => ({ ...REF, service: `s${n % 50}`, id: `i${n}` }))
    const line = done(
      { kind: 'override', refs, disable: true },
      refs.map((ref) => ({ ok: true, ...ref })),
    )
    expect(line).toContain('"instances":10000,"services":["shop/s0",')
    expect(line?.length).toBeLessThan(300)
  })

  it('says at debug what had no effect, and what providers do for themselves', () => {
    const { done: quiet } = setUp()
    const { done } = setUp(true)
    const removal = { kind: 'deregister', refs: [REF] } as const
    const removed = { removed: [REF], unknown: [], superseded: [] }
    expect(quiet(removal, removed)).toBeUndefined()
    expect(done(removal, removed)).toMatch(/^debug instances removed .*"id":"a"/)
    const registration = { kind: 'register', items: [command()] } as const
    expect(quiet(registration, [{ ok: true }])).toBeUndefined()
    expect(done(registration, [{ ok: true }])).toMatch(/^debug registered .*"id":"a"/)
    expect(quiet({ kind: 'unfreeze', namespace: 'shop' }, { existed: false })).toMatch(/^debug /)
    const rehearsal = { kind: 'restore', namespace: 'shop', service: 'orders', dryRun: true } as const
    expect(quiet(rehearsal, { results: [{ ok: true }] })).toMatch(/^debug /)
  })

  it('tells a command that was refused as a whole', () => {
    const { audit, lines } = setUp()
    const removal = {
      kind: 'deregisterHost',
      host: 'h',
      namespace: 'shop',
      confirm: false,
      ...SIGNED,
    } as const
    audit.refused(removal, new RegistryError('frozen', 'an operator froze shop'), PEER)
    audit.refused(removal, new Error('a fault of the node'), PEER)
    expect(lines).toEqual([
      'info command refused {"action":"deregisterHost","by":"alice","peer":"10.0.0.7","why":"disk","host":"h","namespace":"shop","code":"frozen","reason":"an operator froze shop"}',
    ])
  })

  it('notes the refusals of a batch once for each code', () => {
    const { done, refused } = setUp()
    const not = (code: 'limit_exceeded' | 'service_not_declared' | 'id_taken') => ({
      ok: false,
      error: errorBody(code, code),
    })
    done({ kind: 'register', items: [] }, [
      not('limit_exceeded'),
      not('limit_exceeded'),
      { ok: true },
      not('id_taken'),
      not('service_not_declared'),
    ])
    expect(refused).toEqual(['limit_exceeded 10.0.0.7', 'service_not_declared 10.0.0.7'])
  })
})
