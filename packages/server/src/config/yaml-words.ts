/** What is wrong with a YAML file, in words for the person who wrote it. */
import type { ErrorCode, YAMLParseError } from 'yaml'

/** The parser has one code for several mistakes: the first row of a code whose beginning fits. */
const WORDS: readonly (readonly [code: ErrorCode, begins: string, words: string])[] = [
  ['BAD_INDENT', 'Flow', 'a bracket is not closed, or what it holds stands no further right than its key'],
  ['BAD_INDENT', '', 'this line does not begin in the column of those that it belongs to'],
  ['TAB_AS_INDENT', '', 'a tab stands where only blanks may indent'],
  ['MISSING_CHAR', 'Missing closing', 'a quoted text is not closed'],
  ['MISSING_CHAR', 'Implicit map keys', '`key: value` is expected, with a blank behind the colon'],
  ['MISSING_CHAR', '', 'a comma, a colon or a bracket is missing'],
  ['MULTILINE_IMPLICIT_KEY', '', '`key: value` is expected, in one line'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    '',
    'a second `key:` stands in one line; quote a value with a colon and a blank in it',
  ],
  [
    'UNEXPECTED_TOKEN',
    '',
    'this does not belong here; quote the value, or look for a missing colon, comma or bracket',
  ],
  ['BLOCK_IN_FLOW', '', 'inside brackets, items are separated by commas, without dashes'],
  ['DUPLICATE_KEY', '', 'this key is given a second time'],
  ['BAD_SCALAR_START', '', 'a value that begins with @ or ` has to be quoted'],
  ['BAD_DQ_ESCAPE', '', 'this is no escape; in single quotes a backslash stands for itself'],
  ['MULTIPLE_DOCS', '', 'a second document begins; the file holds one'],
]

/** Where and what, such as `line 2, column 1: a quoted text is not closed`. Other mistakes are told in the parser's words. */
export function yamlFault({ code, message, linePos }: YAMLParseError): string {
  const row = WORDS.find(([each, begins]) => each === code && message.startsWith(begins))
  const [start] = linePos ?? []
  const words = row?.[2] ?? message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')
  return `${start === undefined ? '' : `line ${start.line}, column ${start.col}: `}${words}`
}

/** What could not be put together from a file that is YAML, which is only said of aliases. */
export function aliasFault(error: unknown): string {
  const name = /^Unresolved alias .*: (.+)$/.exec(error instanceof Error ? error.message : '')?.[1]
  return name === undefined
    ? 'its aliases unfold into far more than is written'
    : `*${name} stands for an anchor that is not there; quote a value that begins with *`
}
