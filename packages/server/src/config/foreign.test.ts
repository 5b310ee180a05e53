/** Settings of the protocols of other registries: off, on at an address, and what is refused. */
import { expect, it } from 'vitest'
import { loadConfig } from './config.js'
import { FOREIGN_PROTOCOLS } from './foreign.js'

const load = (flags: Readonly<Record<string, unknown>>, env = {}): ReturnType<typeof loadConfig> =>
  loadConfig({ flags, env, readFile: () => undefined })

it.each(FOREIGN_PROTOCOLS)('%s is off, on at its own port of loopback, or where it is told', (protocol) => {
  expect(load({}).config).not.toHaveProperty(protocol)
  expect(load({ [protocol]: true }).config[protocol]).toMatch(/^127\.0\.0\.1:\d+$/)
  expect(load({ [protocol]: '[::1]:80' }).config[protocol]).toBe('[::1]:80')
  expect(load({}, { [`ROLLCALL_${protocol.toUpperCase()}`]: 'true' }).config[protocol]).toMatch(/:\d+$/)
})

it.each(FOREIGN_PROTOCOLS)(
  '%s is refused where it is no address, or open to others without a word',
  (protocol) => {
    for (const address of ['localhost', '1.2.3.4', '127.0.0.1:99999', ''])
      expect(() => load({ [protocol]: address })).toThrow(`--${protocol} must be HOST:PORT`)
    expect(() => load({ [protocol]: '0.0.0.0:1' })).toThrow(`--${protocol} is reachable from other machines`)
    expect(load({ [protocol]: '0.0.0.0:1', insecureListen: true }).config[protocol]).toBe('0.0.0.0:1')
  },
)
