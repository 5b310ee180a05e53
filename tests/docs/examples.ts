/**
 * Code examples of documents. The word after the language in the fence says what happens to it:
 *
 *     ```sh test        run against a fresh registry; must exit 0
 *     ```text output    what the example above prints; a line that is `…` stands for any lines, `…` within a
 *                       line for any characters
 *     ```ts             type-checked
 *     ```ts test        type-checked and run; must exit 0
 *     ```ts runs        type-checked, and runs beside those that follow it in the document; must exit 0 on SIGTERM
 *     ```ts fragment    neither, because it is part of something
 */
export interface Example {
  readonly document: string
  readonly line: number
  readonly language: 'sh' | 'ts'
  readonly run: boolean
  /** Whether it goes on while the others run. */
  readonly beside: boolean
  readonly code: string
  /** What it must print, if the document says so. */
  readonly output: string | undefined
}

/** The checked examples of a document in order. Throws for an output that follows no example that is run. */
export function examplesOf(document: string, text: string): Example[] {
  const examples: Example[] = []
  for (const match of text.matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```$/gm)) {
    const [, language = '', mark, code = ''] = match
    const line = text.slice(0, match.index).split('\n').length
    if (language === 'text' && mark === 'output') {
      const last = examples.at(-1)
      if (last?.run !== true || last.beside || last.output !== undefined)
        throw new Error(`${document}:${line} is the output of nothing`)
      examples[examples.length - 1] = { ...last, output: code }
    } else if ((language === 'sh' && mark === 'test') || (language === 'ts' && mark !== 'fragment')) {
      const beside = language === 'ts' && mark === 'runs'
      examples.push({
        document,
        line,
        language,
        run: beside || mark === 'test',
        beside,
        code,
        output: undefined,
      })
    }
  }
  return examples
}

/** Whether what was printed is what the document shows. */
export function agrees(shown: string, printed: string): boolean {
  const escape = (part: string): string => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const lines = shown
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.trim() === '…' ? '(?:.*\n)*?' : `${line.trimEnd().split('…').map(escape).join('.*')} *\n`,
    )
  return new RegExp(`^${lines.join('')}$`).test(`${printed.trimEnd()}\n`)
}
