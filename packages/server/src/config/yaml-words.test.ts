/** Mistakes in a YAML file, told in words with their place. */
import { describe, expect, it } from 'vitest'
import { readYaml } from './sources.js'

describe('a YAML file is refused', () => {
  it.each([
    ['listen: [1\nfoo: - a\n', 'line 2, column 1: a bracket is not closed'],
    ['limits: {bodyBytesMax: 1', 'line 1, column 25: a bracket is not closed'],
    ['limits:\n  a: 1\n b: 2\n', 'line 3, column 1: this line does not begin in the column'],
    ['listen: "abc\n', 'line 2, column 1: a quoted text is not closed'],
    ['\tlisten: x\n', 'line 1, column 1: a tab stands where only blanks may indent'],
    ['data: a: b\n', 'line 1, column 7: a second `key:` stands in one line'],
    ['data: x\nmemory\n', 'line 2, column 1: `key: value` is expected, with a blank'],
    ['data x\nmemory: true\n', 'line 1, column 1: `key: value` is expected, in one line'],
    ['- a\nb: 1', 'line 2, column 1: this does not belong here'],
    ['data: @x', 'line 1, column 7: a value that begins with @ or ` has to be quoted'],
    ['data: "C:\\queue"', 'line 1, column 10: this is no escape'],
    ['data: a\n---\ndata: b\n', 'line 2, column 1: a second document begins'],
    ['data: *x\n', '*x stands for an anchor that is not there'],
    ['&a &b data: x', 'line 1, column 4: A node can have at most one anchor'],
  ])('%j', (text, words) => {
    const { problems } = readYaml('rollcall.yaml', text)
    expect(problems).toEqual([
      { source: 'rollcall.yaml', key: '', message: expect.stringContaining(words) as string },
    ])
    expect(problems[0]?.message).not.toMatch(/\n| at line /)
  })
})
