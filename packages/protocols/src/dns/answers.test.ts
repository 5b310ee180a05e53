/** What names mean and what is answered, with the rules of the core behind it and another codec in front. */
import { describe, expect, it } from 'vitest'
import { escapeName } from '../foreign/names.js'
import { createChance, Scene } from './registry.fixture.js'

describe('a service', () => {
  it('is the addresses of its instances', () => {
    const scene = new Scene()
    scene.register(
      { id: 'a', host: '10.0.0.1' },
      { id: 'b', host: '10.0.0.2' },
      { id: 'c', host: '2001:db8::1' },
      { id: 'd', host: '10.0.0.2', port: 9_090 },
    )
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(scene.data('orders.service.rollcall', 'AAAA')).toEqual(['2001:db8::1'])
    expect(scene.data('orders.service.rollcall', 'ANY')).toEqual(['10.0.0.1', '10.0.0.2', '2001:db8::1'])
    expect(scene.data('orders.service.rollcall', 'TXT')).toBe('NODATA')
    expect(scene.data('_orders._tcp.service.rollcall', 'A')).toEqual(['10.0.0.1', '10.0.0.2'])
  })

  it('is ports and weights with names that resolve, and their addresses beside them', () => {
    const scene = new Scene()
    scene.register(
      { id: 'a', host: '10.0.0.1', port: 8_080, weight: 10 },
      { id: 'b', host: '10.0.0.1', port: 8_081, weight: 300 },
      { id: 'c', host: '2001:db8::1', port: 80 },
      { id: 'd', host: 'db.example.com', port: 5_432 },
    )
    const six = '20010db8000000000000000000000001.addr.rollcall'
    const all = [
      '0 10 8080 0a000001.addr.rollcall',
      `0 100 80 ${six}`,
      '0 100 5432 db.example.com',
      '0 300 8081 0a000001.addr.rollcall',
    ]
    for (const name of ['orders.service.rollcall', '_orders._tcp.service.rollcall'])
      expect(scene.data(name, 'SRV')).toEqual(all.sort())
    const { additionals = [] } = scene.ask('orders.service.rollcall', 'SRV')
    const told = additionals.map((each) => `${each.name} ${each.type} ${(each as { data: string }).data}`)
    expect(told.sort()).toEqual(['0a000001.addr.rollcall A 10.0.0.1', `${six} AAAA 2001:db8::1`])
    expect(scene.data('0a000001.addr.rollcall', 'A')).toEqual(['10.0.0.1'])
    expect(scene.data('0a000001.addr.rollcall', 'AAAA')).toBe('NODATA')
    expect(scene.data(six, 'AAAA')).toEqual(['2001:db8::1'])
    for (const wrong of ['0a0000.addr.rollcall', 'zz000001.addr.rollcall', 'x.0a000001.addr.rollcall'])
      expect(scene.data(wrong, 'A')).toBe('NXDOMAIN')
  })

  it('is another name where its instances have names alone, and one of them', () => {
    const scene = new Scene()
    scene.register({ id: 'a', host: 'db1.example.com' }, { id: 'b', host: 'DB2.example.com' })
    const seen = new Set(Array.from({ length: 40 }, () => String(scene.data('orders.service.rollcall', 'A'))))
    expect([...seen].sort()).toEqual(['db1.example.com', 'db2.example.com'])
    expect(scene.data('orders.service.rollcall', 'TXT')).toBe('NODATA')
    scene.register({ id: 'c', host: '10.0.0.3' })
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.3'])
    expect(scene.data('orders.service.rollcall', 'AAAA')).toBe('NODATA')
  })

  it('leaves out what starts, drains, is down or disabled; suspects are told of where nothing better is left', () => {
    const scene = new Scene()
    scene.register(
      { id: 'up', host: '10.0.0.1' },
      { id: 'starting', host: '10.0.0.2', intent: 'starting' },
      { id: 'draining', host: '10.0.0.3', intent: 'draining' },
      { id: 'disabled', host: '10.0.0.4' },
      { id: 'silent', host: '10.0.0.5', liveness: 'lease' },
    )
    scene.disable('disabled')
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1', '10.0.0.5'])
    for (
      let tick = 0;
      tick < 200 &&
      scene.read.instance({ namespace: 'default', service: 'orders', group: 'default', id: 'silent' })
        ?.state !== 'suspect';
      tick++
    ) {
      scene.clock.advance(100)
      scene.node.tick(scene.clock.now())
    }
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    scene.deregister('up')
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.5'])
    scene.deregister('silent')
    expect(scene.data('orders.service.rollcall', 'A')).toBe('NODATA')
    expect(scene.data('orders.service.rollcall', 'SRV')).toBe('NODATA')
  })

  it('with weight 0 is told in SRV, and as an address only where there is no other', () => {
    const scene = new Scene()
    scene.register({ id: 'a', host: '10.0.0.1' }, { id: 'b', host: '10.0.0.2', weight: 0 })
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    expect(scene.data('orders.service.rollcall', 'SRV')).toHaveLength(2)
    scene.deregister('a')
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.2'])
  })

  it('comes in an order drawn by weight', () => {
    const scene = new Scene({}, 7)
    scene.register({ id: 'a', host: '10.0.0.1', weight: 300 }, { id: 'b', host: '10.0.0.2', weight: 100 })
    let first = 0
    for (let asked = 0; asked < 1_000; asked++) {
      const [answer] = scene.ask('orders.service.rollcall', 'A').answers ?? []
      if ((answer as { data: string }).data === '10.0.0.1') first++
    }
    expect(first).toBeGreaterThan(700)
    expect(first).toBeLessThan(800)
    expect(createChance(7)()).not.toBe(createChance(8)())
  })
})

describe('a name', () => {
  it('is found in any case, and comes back in the case of the question', () => {
    const scene = new Scene()
    scene.register({ id: 'a', service: 'OrderService', namespace: 'EU' }, { id: 'b' })
    expect(scene.data('oRdErSeRvIcE.SERVICE.eu.ns.ROLLCALL', 'A')).toEqual(['10.0.0.1'])
    const { questions = [], answers = [] } = scene.ask('OrDeRs.sErViCe.RoLlCaLl', 'A')
    expect([questions[0]?.name, answers[0]?.name]).toEqual([
      'OrDeRs.sErViCe.RoLlCaLl',
      'OrDeRs.sErViCe.RoLlCaLl',
    ])
  })

  it('means the service in lower case where there are several spellings', () => {
    const scene = new Scene()
    scene.register({ id: 'a', service: 'Orders', host: '10.0.0.1' })
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    scene.register({ id: 'b', host: '10.0.0.2' })
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.2'])
    // Remembered, but no longer listed.
    scene.deregister('b')
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1'])
  })

  it('is narrowed by tag, group, zone and namespace', () => {
    const scene = new Scene()
    scene.register(
      { id: 'a', host: '10.0.0.1', zone: 'eu-1', metadata: { tags: 'Primary, v2.1 ,,' } },
      { id: 'b', host: '10.0.0.2', zone: 'us-1', group: 'Blue', metadata: { 'consul-tags': 'v2.1' } },
      { id: 'c', host: '10.0.0.3', namespace: 'staging' },
    )
    const all = ['10.0.0.1', '10.0.0.2']
    for (const [name, found] of [
      ['orders.service.rollcall', all],
      ['primary.orders.service.rollcall', ['10.0.0.1']],
      ['v2.1.orders.service.rollcall', all],
      ['_orders._primary.service.rollcall', ['10.0.0.1']],
      ['orders.service.eu-1.zone.rollcall', ['10.0.0.1']],
      ['orders.service.blue.group.rollcall', ['10.0.0.2']],
      ['orders.service.us-1.zone.blue.group.default.ns.rollcall', ['10.0.0.2']],
      ['orders.service.default.ns.blue.group.us-1.zone.rollcall', ['10.0.0.2']],
      ['v2.1.orders.service.us-1.zone.rollcall', ['10.0.0.2']],
      ['orders.service.staging.ns.rollcall', ['10.0.0.3']],
      ['primary.orders.service.us-1.zone.rollcall', 'NXDOMAIN'],
      ['orders.service.nowhere.zone.rollcall', 'NXDOMAIN'],
      ['orders.service.nowhere.group.rollcall', 'NXDOMAIN'],
      ['orders.service.nowhere.ns.rollcall', 'NXDOMAIN'],
      ['v3.orders.service.rollcall', 'NXDOMAIN'],
      // The tag `v2.1` is below it.
      ['1.orders.service.rollcall', 'NODATA'],
      // A zone might be called `orders.service`.
      ['orders.service.zone.rollcall', 'NODATA'],
      ['orders.service.a.zone.b.zone.rollcall', 'NXDOMAIN'],
    ] as const)
      expect([name, scene.data(name, 'A')]).toEqual([name, found])
  })

  it('may have dots, and what it ends with is not denied while it is there', () => {
    const scene = new Scene()
    scene.register({ id: 'a', service: 'com.example.Orders' }, { id: 'b', service: 'service' })
    for (const [name, found] of [
      ['com.example.orders.service.rollcall', ['10.0.0.1']],
      ['_com.example.orders._tcp.service.rollcall', ['10.0.0.1']],
      ['service.service.rollcall', ['10.0.0.1']],
      ['example.orders.service.rollcall', 'NODATA'],
      ['orders.service.rollcall', 'NODATA'],
      ['orders._tcp.service.rollcall', 'NODATA'],
      ['other.orders.service.rollcall', 'NXDOMAIN'],
      ['_orders._tcp.service.rollcall', 'NXDOMAIN'],
    ] as const)
      expect([name, scene.data(name, 'A')]).toEqual([name, found])
  })

  it('of another registry may hold more than letters: as IDN, or as it is escaped', () => {
    const scene = new Scene()
    scene.register(
      { id: 'a', service: escapeName('café') ?? '' },
      { id: 'b', service: 'xn--plain', host: '10.0.0.2' },
    )
    expect(scene.data('xn--caf-dma.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    expect(scene.data('_xn--caf-dma._tcp.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    expect(scene.data('_.caf_c3_a9.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    expect(scene.data('xn--plain.service.rollcall', 'A')).toEqual(['10.0.0.2'])
    for (const none of ['xn--caf-dmb', 'xn--', 'xn--a', 'a.xn--999999999999'])
      expect([none, scene.data(`${none}.service.rollcall`, 'A')]).toEqual([none, 'NXDOMAIN'])
  })

  it('between others exists without data, whichever resolver asks for it on its way', () => {
    const scene = new Scene()
    for (const name of [
      'service',
      'addr',
      'zone',
      'group',
      'ns.x.ns',
      'eu.zone',
      'service.eu.zone',
      'zone.b.group',
      '_tcp.service',
    ])
      expect([name, scene.data(`${name}.rollcall`, 'NS')]).toEqual([name, 'NODATA'])
    for (const name of ['nothing', 'x.nothing', 'web.services', 'a.b.c.d'])
      expect([name, scene.data(`${name}.rollcall`, 'A')]).toEqual([name, 'NXDOMAIN'])
  })

  it('has no records of other types, and its address no name of another zone', () => {
    const scene = new Scene()
    scene.register({ id: 'a' })
    for (const type of ['TXT', 'PTR', 'MX', 'HINFO', 'NAPTR', 'CAA', 'DS', 'NS', 'SOA'] as const) {
      expect([type, scene.data('orders.service.rollcall', type)]).toEqual([type, 'NODATA'])
      expect([type, scene.data('0a000001.addr.rollcall', type)]).toEqual([type, 'NODATA'])
      expect([type, scene.data('none.service.rollcall', type)]).toEqual([type, 'NXDOMAIN'])
    }
    expect(scene.data('1.0.0.10.in-addr.arpa', 'PTR')).toBe('REFUSED')
  })

  it('of another zone is refused, and so are transfers and other classes', () => {
    const scene = new Scene({ domain: 'Svc.Example.Com' })
    scene.register({ id: 'a' })
    expect(scene.data('orders.service.svc.example.com', 'A')).toEqual(['10.0.0.1'])
    for (const name of ['example.com', '.', 'rollcall', 'orders.service.rollcall', 'orders.service.consul'])
      expect([name, scene.data(name, 'A')]).toEqual([name, 'REFUSED'])
    expect(scene.data('svc.example.com', 'AXFR')).toBe('NOTIMP')
  })
})

describe('the zone', () => {
  it('tells of itself', () => {
    const scene = new Scene({ address: '10.9.9.9', ttlSeconds: 5 })
    const [soa] = scene.data('rollcall', 'SOA') as Record<string, unknown>[]
    expect(soa).toMatchObject({
      mname: 'ns.rollcall',
      rname: 'hostmaster.rollcall',
      minimum: 5,
      serial: 1_700_000_000,
    })
    expect(scene.data('rollcall', 'NS')).toEqual(['ns.rollcall'])
    expect(scene.data('ns.rollcall', 'A')).toEqual(['10.9.9.9'])
    expect(scene.data('rollcall', 'A')).toBe('NODATA')
    expect(new Scene().data('ns.rollcall', 'A')).toBe('NODATA')
  })

  it('stands beside whatever is denied, for as long as that may be kept', () => {
    const scene = new Scene({ ttlSeconds: 3 })
    scene.register({ id: 'a' })
    for (const name of ['nothing.service.rollcall', 'orders.service.rollcall']) {
      const { authorities = [], flags } = scene.ask(name, 'AAAA')
      expect(authorities).toMatchObject([{ type: 'SOA', name: 'rollcall', ttl: 3, data: { minimum: 3 } }])
      // Authoritative; recursion is asked for and not available.
      expect((flags ?? 0) & 0x580).toBe(0x500)
    }
    expect(scene.ask('orders.service.rollcall', 'A').answers).toMatchObject([{ ttl: 3 }])
  })

  it('is not denied by a node that does not know yet', () => {
    const scene = new Scene()
    scene.node.fare({ island: false, stale: true } as never, 0)
    expect(scene.data('orders.service.rollcall', 'A')).toBe('SERVFAIL')
    scene.register({ id: 'a' })
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1'])
    expect(scene.data('other.service.rollcall', 'A')).toBe('NXDOMAIN')
    scene.readiness = { ready: false, reason: 'loading' }
    expect(scene.data('orders.service.rollcall', 'A')).toBe('SERVFAIL')
    scene.readiness = { ready: false, reason: 'stopping' }
    expect(scene.data('orders.service.rollcall', 'A')).toEqual(['10.0.0.1'])
  })
})

describe('names of Consul', () => {
  const consul = { datacenter: 'dc1', node: 'agent-one' }

  it('are as Consul has them', () => {
    const scene = new Scene({ consul, address: '10.9.9.9' })
    scene.register(
      { id: 'a', host: '10.0.0.1', metadata: { tags: 'primary,a.b' }, weight: 3 },
      { id: 'b', host: '10.0.0.2', intent: 'starting' },
      { id: 'c', service: 'starts', intent: 'starting' },
    )
    for (const [name, found] of [
      ['orders.service.consul', ['10.0.0.1']],
      ['orders.service.dc1.consul', ['10.0.0.1']],
      ['orders.service.dc1.dc.consul', ['10.0.0.1']],
      ['primary.orders.service.consul', ['10.0.0.1']],
      ['a.b.orders.service.consul', ['10.0.0.1']],
      ['_orders._tcp.service.consul', ['10.0.0.1']],
      ['_orders._primary.consul', ['10.0.0.1']],
      ['_orders._other.consul', 'NXDOMAIN'],
      ['agent-one.node.consul', ['10.9.9.9']],
      ['agent-one.node.dc1.consul', ['10.9.9.9']],
      ['other.node.consul', 'NXDOMAIN'],
      ['0a000001.addr.dc1.consul', ['10.0.0.1']],
      ['starts.service.consul', 'NXDOMAIN'],
      ['nothing.service.consul', 'NXDOMAIN'],
      ['orders.service.dc2.consul', 'NXDOMAIN'],
      ['orders.consul', 'NXDOMAIN'],
      ['orders.connect.consul', 'NXDOMAIN'],
    ] as const)
      expect([name, scene.data(name, 'A')]).toEqual([name, found])
    expect(scene.data('orders.service.consul', 'AAAA')).toBe('NODATA')
    expect(scene.data('_orders._tcp.service.consul', 'SRV')).toEqual(['1 3 8080 0a000001.addr.dc1.consul'])
    expect(scene.ask('orders.service.consul', 'A').answers).toMatchObject([{ ttl: 0 }])
    for (const name of ['service.consul', 'dc1.consul', 'node.dc1.consul', 'dc.consul', '_tcp.consul'])
      expect([name, scene.data(name, 'A')]).toEqual([name, 'NODATA'])
  })
})
