import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { createWholeProgram, runCommandLine } from '../program.js'
import { createFakeShell } from '../shell.fixture.js'
import { outlineOf, type CommandOutline, type Outline } from './outline.js'

const whole = async (): Promise<Outline> => outlineOf(await createWholeProgram(createFakeShell()))

function find({ commands }: Outline, name: string): CommandOutline {
  return commands.find(({ words }) => words.join(' ') === name) ?? expect.fail(`no command ${name}`)
}

describe('the outline of the program', () => {
  it('knows what stands where, by the declarations', async () => {
    const outline = await whole()
    const value = (command: string, flag: string): unknown =>
      find(outline, command).options.find(({ flags }) => flags.includes(flag))?.value
    expect(find(outline, 'drain').arguments).toEqual(['services', 'ids'])
    expect(find(outline, 'restore')).toMatchObject({ arguments: ['services', 'ids'], repeats: true })
    expect(find(outline, 'journal verify').arguments).toEqual(['directories'])
    expect(find(outline, 'completion').arguments).toEqual([['bash', 'zsh', 'fish']])
    expect(value('serve', '--admission')).toEqual(['open', 'strict'])
    expect(value('serve', '--config')).toBe('files')
    expect(value('instances', '--state')).toContain('suspect')
    expect(value('instances', '--json')).toBeUndefined()
    expect(value('run', '--service')).toBe('services')
    expect(outline.groups.map(({ name }) => name)).toEqual(['config', 'journal'])
  })

  it('of another program is its own', () => {
    const program = new Command('x')
    program.command('open').argument('<file>').option('-m, --mode <r|w>', 'how')
    expect(find(outlineOf(program), 'open')).toMatchObject({
      arguments: ['anything'],
      options: [{ flags: ['-m', '--mode'], value: ['r', 'w'] }, { flags: ['-h', '--help'] }],
    })
  })
})

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (name) => {
  it('has every command and option', async () => {
    const shell = createFakeShell()
    expect(await runCommandLine(['completion', name], shell)).toBe(0)
    const script = shell.stdout()
    const { commands } = await whole()
    expect(commands.length).toBeGreaterThan(15)
    for (const { words, options } of commands) {
      expect(script).toContain(words.at(-1))
      for (const { flags } of options) {
        const long = flags.at(-1) ?? ''
        expect(script).toContain(name === 'fish' ? `-l ${long.slice(2)} ` : long)
      }
    }
  })

  it('asks no registry by being made', async () => {
    const shell = createFakeShell()
    await runCommandLine(['completion', name], shell)
    expect(shell.requests).toEqual([])
  })
})
