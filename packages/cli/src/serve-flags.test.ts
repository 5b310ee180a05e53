/** The flags of `serve`, made from the settings of a node. */
import { loadConfig, SETTINGS } from '@rollcall/server'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addServeFlags, readServeFlags } from './serve-flags.js'

function parse(...args: readonly string[]): Readonly<Record<string, unknown>> {
  const command = addServeFlags(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
  return readServeFlags(command.parse(args, { from: 'user' }))
}

describe('the flags of serve', () => {
  it('are every setting, each with a word on it', () => {
    const { options } = addServeFlags(new Command())
    expect(options.map(({ long }) => long)).toEqual([...SETTINGS.map(({ flag }) => `--${flag}`), '--config'])
    for (const { description } of options) expect(description).toMatch(/^[`a-z]/)
  })

  it('arrive as the server reads them', () => {
    const flags = parse(
      '--listen=127.0.0.1:0',
      '--memory',
      '--limits-wait-ms-max',
      '5000',
      '--log-level',
      'warn',
    )
    const { config } = loadConfig({ flags, env: {}, readFile: () => undefined })
    expect(config).toMatchObject({
      listen: '127.0.0.1:0',
      memory: true,
      limits: { waitMsMax: 5_000 },
      logLevel: 'warn',
    })
  })

  it('collect lists, and switch off what a file switches on', () => {
    const flags = parse('--allowed-hosts', 'a,b', '--allowed-hosts', 'c', '--memory', 'false')
    const { config } = loadConfig({ flags, env: {}, readFile: () => 'memory: true' })
    expect(config).toMatchObject({ allowedHosts: ['a', 'b', 'c'], memory: false })
  })

  it('leave the judgement of values to the server', () => {
    expect(parse('--log-level', 'loud', '--ping-ms', 'x')).toEqual({ logLevel: 'loud', pingMs: 'x' })
  })

  it.each([['--colour', 'red'], ['--ping-ms'], ['extra']])('refuse %s', (...args) => {
    expect(() => parse(...args)).toThrow()
  })
})
