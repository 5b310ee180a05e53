/** Connections that were too many, for the node or for the system: counted, and logged once in a while. */
import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { HandClock } from '@rollcall/testkit/time'
import { expect, it, vi } from 'vitest'
import { createConnections } from './connections.js'

it('accepts that the system refuses are logged once in a while, with the reason, however many they are', async () => {
  const clock = new HandClock()
  const warn = vi.fn()
  const logger = { debug() {}, info() {}, warn, error() {} }
  const meter = { count: vi.fn(), set() {}, observe() {} }
  const server = Object.assign(new EventEmitter(), { listening: false })
  createConnections({ clock, logger, meter }, 10).track(server as unknown as Server)
  const error = new Error('EMFILE')
  server.emit('error', error)
  expect(meter.count).not.toHaveBeenCalled()
  server.listening = true
  for (let n = 0; n < 5; n++) server.emit('error', error)
  await clock.pass(10_000)
  server.emit('error', error)
  expect(meter.count.mock.calls).toHaveLength(6)
  expect(warn.mock.calls).toEqual([
    [{ connections: 1, connectionsMax: 10, error }, 'connections dropped'],
    [{ connections: 5, connectionsMax: 10, error }, 'connections dropped'],
  ])
})
