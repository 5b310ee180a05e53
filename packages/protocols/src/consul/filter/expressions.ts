/** The filter language of Consul (go-bexpr 0.1.2), from text to an expression. Pure; bounded in length, depth and terms. */

/** `Service.Meta.version` or `Meta["a-b"]`, part by part. */
export type Selector = readonly string[]

export type MatchOperator = 'equal' | 'in' | 'empty' | 'matches'

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | {
      readonly kind: 'match'
      readonly selector: Selector
      readonly operator: MatchOperator
      readonly negated: boolean
      /** Empty where the operator takes none. */
      readonly value: string
    }

/** What an expression may not be; its message goes to the client. */
export class FilterError extends Error {}

/** A filter of a consumer is a line; what is longer is no filter. */
const CHARS_MAX = 4_096
const DEPTH_MAX = 32
const TERMS_MAX = 128

const TOKEN =
  /\s*(?:(==|!=|\(|\)|\.|\[|\])|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`|(-?\d+(?:\.\d+)?(?![A-Za-z0-9_]))|([a-zA-Z][a-zA-Z0-9_]*))/y

interface Token {
  readonly kind: 'sign' | 'text' | 'number' | 'word' | 'end'
  readonly text: string
  /** Where white space stood before it: a selector has none between its parts. */
  readonly spaced: boolean
}

const END: Token = { kind: 'end', text: '', spaced: true }

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  let at = 0
  while (at < end) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) throw new FilterError(`Failed to parse expression: unexpected input at ${at}`)
    const spaced = /^\s/.test(match[0])
    at = TOKEN.lastIndex
    const [, sign, quoted, raw, number, word] = match
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, spaced })
    else if (quoted !== undefined) tokens.push({ kind: 'text', text: unquoted(quoted), spaced })
    else if (raw !== undefined) tokens.push({ kind: 'text', text: raw, spaced })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, spaced })
    else tokens.push({ kind: 'word', text: word as string, spaced })
  }
  return tokens
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\' }

function unquoted(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, sign: string) => {
    const meant = ESCAPES[sign]
    if (meant === undefined) throw new FilterError(`Failed to parse expression: unknown escape \\${sign}`)
    return meant
  })
}

/** Reads a filter. Throws a FilterError with words for the client. */
export function parseFilter(text: string): Expression {
  if (text.length > CHARS_MAX)
    throw new FilterError(`Failed to parse expression: longer than ${CHARS_MAX} characters`)
  const parser = new Parser(tokensOf(text))
  const expression = parser.or(0)
  parser.finish()
  return expression
}

class Parser {
  private at = 0
  private terms = 0
  private readonly tokens: readonly Token[]

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  /** `or` binds least; both binary operators lean to the right, which makes no difference to what they mean. */
  or(depth: number): Expression {
    if (depth > DEPTH_MAX)
      throw new FilterError(`Failed to parse expression: nested more than ${DEPTH_MAX} deep`)
    let left = this.and(depth)
    while (this.takeWord('or')) left = { kind: 'or', left, right: this.and(depth) }
    return left
  }

  finish(): void {
    const { kind, text } = this.peek()
    if (kind !== 'end')
      throw new FilterError(`Failed to parse expression: unexpected ${JSON.stringify(text)}`)
  }

  private and(depth: number): Expression {
    let left = this.not(depth)
    while (this.takeWord('and')) left = { kind: 'and', left, right: this.not(depth) }
    return left
  }

  private not(depth: number): Expression {
    let negated = false
    while (this.isWord('not')) {
      this.at++
      negated = !negated
    }
    const of = this.takeSign('(') ? this.group(depth) : this.match()
    return negated ? { kind: 'not', of } : of
  }

  private group(depth: number): Expression {
    const inner = this.or(depth + 1)
    if (!this.takeSign(')')) throw new FilterError('Failed to parse expression: a bracket is not closed')
    return inner
  }

  private match(): Expression {
    if (++this.terms > TERMS_MAX)
      throw new FilterError(`Failed to parse expression: more than ${TERMS_MAX} comparisons`)
    const first = this.operand()
    const { kind, text } = this.peek()
    if (kind === 'sign' && (text === '==' || text === '!=')) {
      this.at++
      return this.compare(first, 'equal', text === '!=', this.operand().value)
    }
    const negated = this.takeWord('not')
    if (this.takeWord('in')) {
      const selector = this.operand().selector
      if (selector === undefined) throw new FilterError('Failed to parse expression: in needs a selector')
      return { kind: 'match', selector, operator: 'in', negated, value: first.value }
    }
    if (this.takeWord('contains')) return this.compare(first, 'in', negated, this.operand().value)
    if (this.takeWord('matches')) return this.compare(first, 'matches', negated, this.operand().value)
    if (!negated && this.takeWord('is')) {
      const not = this.takeWord('not')
      if (this.takeWord('empty')) return this.compare(first, 'empty', not, '')
    }
    throw new FilterError(`Failed to parse expression: no operator after ${JSON.stringify(first.value)}`)
  }

  private compare(
    { selector }: Operand,
    operator: MatchOperator,
    negated: boolean,
    value: string,
  ): Expression {
    if (selector === undefined) throw new FilterError('Failed to parse expression: a selector is needed')
    return { kind: 'match', selector, operator, negated, value }
  }

  /** A value, and where it could be one, a selector. */
  private operand(): Operand {
    const token = this.next()
    if (token.kind === 'text' || token.kind === 'number') return { value: token.text, selector: undefined }
    if (token.kind !== 'word')
      throw new FilterError(`Failed to parse expression: unexpected ${JSON.stringify(token.text)}`)
    const selector = [token.text]
    let value = token.text
    for (;;) {
      const { kind, text, spaced } = this.peek()
      if (kind !== 'sign' || spaced || (text !== '.' && text !== '[')) return { value, selector }
      this.at++
      const part = this.next()
      const fits = part.kind === (text === '.' ? 'word' : 'text') && !part.spaced
      if (!fits || (text === '[' && !this.takeSign(']')))
        throw new FilterError('Failed to parse expression: a selector is broken off')
      selector.push(part.text)
      value += text === '.' ? `.${part.text}` : `["${part.text}"]`
    }
  }

  private peek(): Token {
    return this.tokens[this.at] ?? END
  }

  private next(): Token {
    const token = this.peek()
    this.at++
    return token
  }

  private isWord(word: string): boolean {
    const { kind, text } = this.peek()
    return kind === 'word' && text === word
  }

  private takeWord(word: string): boolean {
    if (!this.isWord(word)) return false
    this.at++
    return true
  }

  private takeSign(sign: string): boolean {
    const { kind, text } = this.peek()
    if (kind !== 'sign' || text !== sign) return false
    this.at++
    return true
  }
}

interface Operand {
  readonly value: string
  readonly selector: Selector | undefined
}
