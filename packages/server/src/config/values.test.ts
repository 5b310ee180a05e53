/** Times and sizes of settings: with units, from every source, and written as they are read. */
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig, type LoadedConfig } from './config.js'
import { SETTINGS } from './schema.js'
import { readValue, writeValue } from './values.js'

interface Sources {
  readonly text: string
  readonly env?: Readonly<Record<string, string>>
  readonly flags: Readonly<Record<string, unknown>>
}

function load({ text, env = {}, flags }: Sources): LoadedConfig {
  return loadConfig({ flags, env, readFile: () => text })
}

function messageOf(fails: () => unknown): string {
  try {
    fails()
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('times and sizes', () => {
  it('have units, wherever a name says milliseconds or bytes', () => {
    const kindOf = (end: RegExp): Set<string> =>
      new Set(SETTINGS.filter(({ key }) => end.test(key)).map(({ kind }) => kind))
    expect(kindOf(/Ms(Min|Max)?$/)).toEqual(new Set(['duration']))
    expect(kindOf(/Bytes(Min|Max)$/)).toEqual(new Set(['size']))
    expect(kindOf(/(?<!Ms)(?<!Ms(Min|Max))(?<!Bytes(Min|Max))$/)).not.toContain('duration')
  })

  it('are read from every source, with and without a unit', () => {
    const text =
      'pingMs: 3s\nremovalMs: 90000\nretentionMs: 1h30m\nlimits:\n  bodyBytesMax: 16MiB\n  waitMsMax: "30000"\n'
    const env = { ROLLCALL_STOP_MS: '1m', ROLLCALL_LIMITS_FRAME_BYTES_MAX: '2097152' }
    const flags = { 'limits-lease-ms-max': '2h', 'limits-metadata-bytes-max': '16KiB' }
    expect(load({ text, env, flags }).config).toMatchObject({
      pingMs: 3_000,
      removalMs: 90_000,
      retentionMs: 5_400_000,
      stopMs: 60_000,
      limits: {
        bodyBytesMax: 16_777_216,
        waitMsMax: 30_000,
        frameBytesMax: 2_097_152,
        leaseMsMax: 7_200_000,
        metadataBytesMax: 16_384,
      },
    })
  })

  it('are refused with the forms that are taken', () => {
    const problems = (): unknown =>
      load({ text: 'pingMs: 1ms\nlimits:\n  bodyBytesMax: 8M\n', flags: { stopMs: '3 s' } })
    expect(problems).toThrow(ConfigError)
    const lines = messageOf(problems).split('\n').slice(1)
    expect(lines.map((line) => line.trim())).toEqual([
      'rollcall.yaml: pingMs must be a time from 100ms to 1m, such as 500ms, 10s, 5m or 1h30m; a plain number counts milliseconds',
      'rollcall.yaml: limits.bodyBytesMax must be a size from 1KiB to 1GiB, such as 512B, 64KiB or 8MiB; a plain number counts bytes',
      'flags: --stop-ms must be a time from 0s to 10m, such as 500ms, 10s, 5m or 1h30m; a plain number counts milliseconds',
    ])
  })

  it('are written as they are read', () => {
    const numbers = SETTINGS.filter(({ defaultValue }) => typeof defaultValue === 'number')
    for (const setting of numbers) {
      const written = writeValue(setting, setting.defaultValue)
      expect([setting.key, readValue(setting, written)]).toEqual([setting.key, setting.defaultValue])
      expect(setting.judge(setting.defaultValue)).toEqual([])
    }
    expect(writeValue({ kind: 'duration' }, undefined)).toBe('-')
  })
})
