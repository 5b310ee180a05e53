/** When an install is due. */
import { describe, expect, it } from 'vitest'
import { difference } from './prepare.mjs'

describe('whether an install is due', () => {
  const wanted = {
    '': { version: '0.1.0' },
    'node_modules/ws': { version: '8.23.0', integrity: 'sha512-a' },
    'node_modules/@oxlint/binding-win32-x64-msvc': { version: '1.94.0', optional: true },
    'node_modules/@rollcall/cli': { resolved: 'packages/cli', link: true },
    'packages/cli': { version: '0.1.0', bin: { rollcall: 'bin/rollcall.js' } },
  }
  const { '': _root, 'node_modules/@oxlint/binding-win32-x64-msvc': _other, ...installed } = wanted
  const linked = (): boolean => true

  it('is not when all is there but binaries of other platforms, also beside more', () => {
    expect(
      difference(wanted, { ...installed, 'node_modules/extra': { version: '1.0.0' } }, linked),
    ).toBeUndefined()
  })

  it('is when something is missing', () => {
    const { 'node_modules/ws': _ws, ...rest } = installed
    expect(difference(wanted, rest, linked)).toBe('node_modules/ws is missing')
  })

  it('is when something has another version or content', () => {
    const older = { ...installed, 'node_modules/ws': { version: '8.22.0', integrity: 'sha512-a' } }
    expect(difference(wanted, older, linked)).toBe('node_modules/ws has changed')
    const other = { ...installed, 'node_modules/ws': { version: '8.23.0', integrity: 'sha512-b' } }
    expect(difference(wanted, other, linked)).toBe('node_modules/ws has changed')
  })

  it('is when a command of ours was not linked', () => {
    expect(difference(wanted, installed, (command: string) => command !== 'rollcall')).toBe(
      'the command of packages/cli is missing',
    )
  })
})
