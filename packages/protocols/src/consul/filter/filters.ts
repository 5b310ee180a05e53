/** Filters: an expression checked against the fields of a list, then asked of each of its items. Pure. */
import { type Expression, FilterError, parseFilter, type Selector } from './expressions.js'
import { type FilterField, LISTS, type ListKind } from './fields.js'

/** Whether an item of the list passes. */
export type Filter = (item: unknown) => boolean

type Match = Extract<Expression, { kind: 'match' }>

/** No filter lets all pass. Throws a FilterError where the text is none for this kind of list. */
export function createFilter(text: string | undefined, list: ListKind): Filter {
  if (text === undefined || text === '') return () => true
  return compile(parseFilter(text), LISTS[list])
}

function compile(expression: Expression, fields: Readonly<Record<string, FilterField>>): Filter {
  if (expression.kind === 'not') {
    const of = compile(expression.of, fields)
    return (item) => !of(item)
  }
  if (expression.kind === 'match') return compileMatch(expression, fields)
  const left = compile(expression.left, fields)
  const right = compile(expression.right, fields)
  return expression.kind === 'and' ? (item) => left(item) && right(item) : (item) => left(item) || right(item)
}

function compileMatch(match: Match, fields: Readonly<Record<string, FilterField>>): Filter {
  const path = resolve(match.selector, fields)
  const test = testOf(match, path.at(-1) as Step)
  return reader(path, test)
}

/** One step to a value: a member, a key of a map, or a list of members of which any may match. */
interface Step {
  readonly name: string
  readonly field: FilterField
  readonly ofMap: boolean
}

function resolve(selector: Selector, fields: Readonly<Record<string, FilterField>>): readonly Step[] {
  const steps: Step[] = []
  let known: Readonly<Record<string, FilterField>> | undefined = fields
  let map = false
  for (const name of selector) {
    const field: FilterField | undefined = map
      ? 'text'
      : known !== undefined && Object.hasOwn(known, name)
        ? known[name]
        : undefined
    if (field === undefined)
      throw new FilterError(`Selector ${JSON.stringify(selector.join('.'))} is not valid`)
    steps.push({ name, field, ofMap: map })
    map = field === 'map'
    known = typeof field === 'object' ? ('any' in field ? field.any : field.members) : undefined
  }
  return steps
}

/** What is asked of the value; undefined = the key of a map is not there. */
type Test = (value: unknown) => boolean

function testOf({ operator, negated, value, selector }: Match, { field }: Step): Test {
  const holds = fit(field, operator, value)
  if (holds === undefined)
    throw new FilterError(`Invalid match operator for selector ${JSON.stringify(selector.join('.'))}`)
  return negated ? (found) => !holds(found) : holds
}

/** Undefined where the operator says nothing of such a field. */
function fit(field: FilterField, operator: Match['operator'], value: string): Test | undefined {
  switch (operator) {
    case 'equal':
      return typeof field === 'object' || field === 'texts' || field === 'map'
        ? undefined
        : equalTo(value, field)
    case 'empty': {
      const isSingle = typeof field === 'object' && !('any' in field)
      return field === 'number' || field === 'bool' || isSingle ? undefined : isEmpty
    }
    case 'in':
      return contains(field, value)
    case 'matches': {
      if (field !== 'text') return undefined
      const pattern = patternOf(value)
      return (found) => typeof found === 'string' && pattern(found)
    }
    default:
      return undefined
  }
}

function contains(field: FilterField, value: string): Test | undefined {
  if (field === 'texts') return (found) => Array.isArray(found) && found.includes(value)
  if (field === 'map') return (found) => isObject(found) && Object.hasOwn(found, value)
  return field === 'text' ? (found) => typeof found === 'string' && found.includes(value) : undefined
}

function equalTo(value: string, field: FilterField): Test {
  if (field === 'number') {
    const number = Number(value)
    if (value === '' || !Number.isFinite(number))
      throw new FilterError(`Failed to coerce value ${JSON.stringify(value)} to a number`)
    return (found) => (found ?? 0) === number
  }
  if (field === 'bool') {
    const truth = boolOf(value)
    if (truth === undefined)
      throw new FilterError(`Failed to coerce value ${JSON.stringify(value)} to a bool`)
    return (found) => (found ?? false) === truth
  }
  return (found) => found === value
}

/** As Go's ParseBool; undefined for what is none. */
export function boolOf(text: string): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true
  return /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : undefined
}

/**
 * A pattern of Go's RE2 never takes long; one of ours could. Only patterns without repetition of what repeats already, and
 * without references back, are taken: their time is bounded by the square of the text.
 */
function patternOf(text: string): (value: string) => boolean {
  if (
    text.length > 256 ||
    /\\[1-9]|\(\?[=!<]/.test(text) ||
    /[*+}]\)*\s*[*+{]|\([^)]*[*+{|][^)]*\)[*+{]/.test(text) ||
    quantifiers(text) > 3
  )
    throw new FilterError('Failed to compile regular expression: it could take too long')
  try {
    const pattern = new RegExp(text, 'u')
    return (value) => pattern.test(value.length > 1_024 ? value.slice(0, 1_024) : value)
  } catch {
    throw new FilterError(`Failed to compile regular expression ${JSON.stringify(text)}`)
  }
}

function quantifiers(text: string): number {
  return text.match(/[*+]|\{\d+,/g)?.length ?? 0
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Goes to the value and asks; on the way, of a list any item may answer. */
function reader(path: readonly Step[], test: Test): Filter {
  const ask = (value: unknown, at: number): boolean => {
    const step = path[at]
    if (step === undefined) return test(value)
    const found = isObject(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined
    const last = at === path.length - 1
    if (!last && typeof step.field === 'object' && 'any' in step.field)
      return Array.isArray(found) && found.some((item) => ask(item, at + 1))
    return ask(found, at + 1)
  }
  return (item) => ask(item, 0)
}
