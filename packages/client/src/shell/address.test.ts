/** How the own address is found. */
import { describe, expect, it } from 'vitest'
import { HandClock } from '@rollcall/testkit/time'
import { createSystemAddresses, findOwnAddress } from './address.js'
import type { AddressOptions } from '../api.js'

const INTERFACES = ['172.17.0.1', '10.1.2.3', 'fd00::5']

function find(
  options: AddressOptions,
  given: { connection?: string; route?: string; interfaces?: string[] } = {},
) {
  const sources = {
    interfaces: () => given.interfaces ?? INTERFACES,
    route: (host: string) => Promise.resolve(host === 'registry' ? given.route : undefined),
  }
  return findOwnAddress(options, given.connection, ['http://away:1', 'http://registry:7400'], sources)
}

describe('own address', () => {
  it('takes what it is told first', async () => {
    expect(await find({ host: 'h', prefer: ['10.0.0.0/8'] }, { connection: '1.1.1.1' })).toEqual({
      host: 'h',
      how: 'explicit',
    })
  })

  it('then a preferred network, in the order of preference', async () => {
    expect(
      await find({ prefer: ['192.168.0.0/16', 'fd00::/8', '10.0.0.0/8'] }, { connection: '1.1.1.1' }),
    ).toEqual({
      host: 'fd00::5',
      how: 'preferred',
    })
    expect(await find({ prefer: ['10.0.0.0/8'] })).toEqual({ host: '10.1.2.3', how: 'preferred' })
  })

  it('then the interface that reaches the registry', async () => {
    expect(await find({ prefer: ['192.168.0.0/16'] }, { connection: '127.0.0.1' })).toEqual({
      host: '127.0.0.1',
      how: 'connection',
    })
    expect(await find({}, { route: '10.1.2.3' })).toEqual({ host: '10.1.2.3', how: 'route' })
  })

  it('then any, and loopback where there is none', async () => {
    expect(await find({})).toEqual({ host: '172.17.0.1', how: 'interface' })
    expect(await find({}, { interfaces: [] })).toEqual({ host: '127.0.0.1', how: 'loopback' })
  })

  it.each(['10.0.0.0', '10.0.0.0/33', 'x/8', '10.0.0.0/'])('refuses %s as a network', async (cidr) => {
    await expect(find({ prefer: [cidr] })).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})

describe('the route to a registry', () => {
  it('is none where its name has no address', async () => {
    const sources = createSystemAddresses(new HandClock())
    // Too long for any name server to be asked.
    expect(await sources.route('x'.repeat(64), 7_400)).toBeUndefined()
    expect(await sources.route('127.0.0.1', 7_400)).toBe('127.0.0.1')
  })
})
