/** Enough of a Dockerfile to do by hand what a build of its last stage does, and to run what the image runs. */
import { chownSync, cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** One instruction of a stage, continuation lines joined. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

/** The instructions of the stage with a name, in order. Throws where there is none. */
export function stageOf(dockerfile: string, stage: string): Instruction[] {
  const instructions = dockerfile
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const [, name, text] = /^\s*([A-Z]+)\s+(.*?)\s*$/.exec(line) ?? []
      return name === undefined || text === undefined ? [] : [{ name, text: text.replaceAll(/\s+/g, ' ') }]
    })
  const start = instructions.findIndex(({ name, text }) => name === 'FROM' && text.endsWith(` AS ${stage}`))
  if (start < 0) throw new Error(`the Dockerfile has no stage ${stage}`)
  const rest = instructions.slice(start + 1)
  const end = rest.findIndex(({ name }) => name === 'FROM')
  return end < 0 ? rest : rest.slice(0, end)
}

/** What the instructions with a name say. */
export function saidBy(stage: readonly Instruction[], name: string): string[] {
  return stage.filter((instruction) => instruction.name === name).map(({ text }) => text)
}

/** The command of an instruction in its form without a shell. Throws for the other form: there is no shell in the image. */
export function commandOf(stage: readonly Instruction[], name: string): string[] {
  const [text = ''] = saidBy(stage, name)
  const list = /\[.*\]$/.exec(text)?.[0]
  if (list === undefined) throw new Error(`${name} needs a shell: ${text}`)
  return JSON.parse(list) as string[]
}

/** The variables that the stage sets. */
export function environmentOf(stage: readonly Instruction[]): Record<string, string> {
  const pairs = saidBy(stage, 'ENV').flatMap((text) => text.split(' '))
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

/** Does the COPY instructions of a stage, from what stands for the stage that they copy from, into a root. */
export function copyInto(root: string, stage: readonly Instruction[], from: (path: string) => string): void {
  for (const text of saidBy(stage, 'COPY')) {
    const words = text.split(' ').filter((word) => !word.startsWith('--from='))
    const owner = words.find((word) => word.startsWith('--chown='))?.slice('--chown='.length)
    const [source = '', target = '', ...more] = words.filter((word) => !word.startsWith('--'))
    if (more.length > 0) throw new Error(`COPY ${text} has more than one source`)
    mkdirSync(dirname(join(root, target)), { recursive: true })
    cpSync(from(source), join(root, target), { recursive: true })
    if (owner === undefined) continue
    const [user = 0, group = 0] = owner.split(':').map(Number)
    chownSync(join(root, target), user, group)
  }
}
