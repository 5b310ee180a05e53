/** What the rules need to know of one source file. Pure. */
import { parseSync, Visitor, type VisitorObject } from 'oxc-parser'

/** A naming of another module: static, dynamic, re-exported, required, or in a type. */
export interface Reference {
  /** Undefined when it is computed at run time. */
  readonly specifier: string | undefined
  readonly line: number
  readonly typeOnly: boolean
  readonly names: readonly ImportedName[]
}

/** What is taken from another module: a name, or `*` where it could be any. */
export interface ImportedName {
  readonly name: string
  readonly typeOnly: boolean
}

/** A member of an exported interface, with the names of the types of its parameters; none where it is no method. */
export interface InterfaceMember {
  readonly interfaceName: string
  readonly name: string
  readonly parameterTypes: readonly string[]
}

/** A use of real time or chance. */
export interface Impurity {
  readonly what: string
  readonly line: number
}

/** A function or method, by its first line and its length. */
export interface FunctionExtent {
  readonly name: string
  readonly line: number
  /** From its first line to its last, the functions inside it included. */
  readonly lines: number
}

/** A parsed file. */
export interface ParsedModule {
  readonly references: readonly Reference[]
  readonly impurities: readonly Impurity[]
  readonly functions: readonly FunctionExtent[]
  /** Names of the interfaces, type aliases and classes that it declares and exports; what it only passes on is not among them. */
  readonly exportedTypes: readonly string[]
  readonly interfaceMembers: readonly InterfaceMember[]
  /** String literals that look like names of metrics. */
  readonly metricNames: readonly string[]
  /** A test under fake timers: its waits are not real. */
  readonly fakesTimers: boolean
  readonly parseErrors: readonly string[]
}

/** Parses one file; what cannot be parsed is in `parseErrors`, never silently absent. */
export function parseModule(path: string, text: string): ParsedModule {
  const { program, errors } = parseSync(path, text)
  const lineOf = lineCounter(text)
  const references: Reference[] = []
  const impurities: Impurity[] = []
  const functions: FunctionExtent[] = []
  const exportedTypes: string[] = []
  const interfaceMembers: InterfaceMember[] = []
  const metricNames: string[] = []
  const visitors = [
    referenceVisitor((specifier, start, typeOnly, names) =>
      references.push({ specifier, line: lineOf(start), typeOnly, names }),
    ),
    impurityVisitor((what, start) => impurities.push({ what, line: lineOf(start) })),
    functionVisitor((name, start, end) => {
      const line = lineOf(start)
      functions.push({ name, line, lines: lineOf(end) - line + 1 })
    }),
    exportedTypeVisitor((name) => exportedTypes.push(name)),
    interfaceVisitor((member) => interfaceMembers.push(member)),
    metricVisitor((name) => metricNames.push(name)),
  ]
  for (const visitor of visitors) new Visitor(visitor).visit(program)
  const parseErrors = errors.map((error) => error.message)
  return {
    references,
    impurities,
    functions,
    exportedTypes,
    interfaceMembers,
    metricNames,
    fakesTimers: text.includes('vi.useFakeTimers('),
    parseErrors,
  }
}

/** A module that is taken whole. */
const WHOLE: readonly ImportedName[] = [{ name: '*', typeOnly: false }]

function referenceVisitor(
  add: (
    specifier: string | undefined,
    start: number,
    typeOnly: boolean,
    names: readonly ImportedName[],
  ) => void,
): VisitorObject {
  const literal = (node: { type: string; value?: unknown } | undefined): string | undefined =>
    node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
  return {
    ImportDeclaration(node) {
      const types = node.specifiers.filter(
        (each) => each.type === 'ImportSpecifier' && each.importKind === 'type',
      )
      const onlyTypes = types.length > 0 && types.length === node.specifiers.length
      const names = node.specifiers.map((each) => ({
        name: each.type === 'ImportSpecifier' && 'name' in each.imported ? each.imported.name : '*',
        typeOnly:
          node.importKind === 'type' || (each.type === 'ImportSpecifier' && each.importKind === 'type'),
      }))
      add(node.source.value, node.start, node.importKind === 'type' || onlyTypes, names)
    },
    ExportNamedDeclaration(node) {
      if (node.source === null) return
      const onlyTypes =
        node.specifiers.length > 0 && node.specifiers.every((each) => each.exportKind === 'type')
      const names = node.specifiers.map((each) => ({
        name: 'name' in each.local ? each.local.name : '*',
        typeOnly: node.exportKind === 'type' || each.exportKind === 'type',
      }))
      add(node.source.value, node.start, node.exportKind === 'type' || onlyTypes, names)
    },
    ExportAllDeclaration: (node) => add(node.source.value, node.start, node.exportKind === 'type', WHOLE),
    ImportExpression: (node) => add(literal(node.source), node.start, false, WHOLE),
    TSImportType: (node) => add(node.source.value, node.start, true, WHOLE),
    TSExternalModuleReference: (node) => add(node.expression.value, node.start, false, WHOLE),
    CallExpression(node) {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require')
        add(literal(node.arguments[0]), node.start, false, WHOLE)
    },
  }
}

/** Globals whose mere mention is a use of real time. */
const TIMERS = new Set(['setTimeout', 'setInterval'])

/** Members of globals that tell time, wait for it, or draw by chance. */
const IMPURE_MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Date', ['now']],
  ['performance', ['now', 'timeOrigin']],
  ['Math', ['random']],
  ['process', ['hrtime']],
  ['crypto', ['randomUUID', 'getRandomValues']],
  ['AbortSignal', ['timeout']],
  ['globalThis', ['setTimeout', 'setInterval', 'performance', 'Date']],
])

/** Names of built-in modules that do the same; `*` is all of them. */
const IMPURE_IMPORTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['node:timers', ['*']],
  ['node:timers/promises', ['*']],
  ['node:perf_hooks', ['performance']],
  [
    'node:crypto',
    [
      'randomUUID',
      'randomBytes',
      'randomInt',
      'randomFill',
      'randomFillSync',
      'getRandomValues',
      'webcrypto',
    ],
  ],
  ['node:process', ['hrtime']],
])

function impurityVisitor(impure: (what: string, start: number) => void): VisitorObject {
  /** Starts of identifiers that are the name of a member or key (`socket.setTimeout`), not the global. */
  const names = new Set<number>()
  return {
    ImportDeclaration(node) {
      const forbidden = IMPURE_IMPORTS.get(`node:${node.source.value.replace(/^node:/, '')}`)
      if (forbidden === undefined || node.importKind === 'type') return
      for (const each of node.specifiers) {
        names.add(each.start).add(each.local.start)
        const name =
          each.type === 'ImportSpecifier' && each.imported.type === 'Identifier' ? each.imported.name : '*'
        if (name === '*' || forbidden.includes('*') || forbidden.includes(name))
          impure(`${name} from ${node.source.value}`, node.start)
      }
    },
    MemberExpression(node) {
      const { object, property } = node
      if (!node.computed) names.add(property.start)
      if (object.type !== 'Identifier') return
      const member =
        property.type === 'Identifier'
          ? property.name
          : property.type === 'Literal'
            ? String(property.value)
            : ''
      if (IMPURE_MEMBERS.get(object.name)?.includes(member) === true)
        impure(`${object.name}.${member}`, node.start)
    },
    NewExpression(node) {
      if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0)
        impure('new Date()', node.start)
    },
    Property(node) {
      if (!node.computed && !node.shorthand) names.add(node.key.start)
    },
    MethodDefinition: (node) => void names.add(node.key.start),
    PropertyDefinition: (node) => void names.add(node.key.start),
    TSPropertySignature: (node) => void names.add(node.key.start),
    TSMethodSignature: (node) => void names.add(node.key.start),
    Identifier(node) {
      if (TIMERS.has(node.name) && !names.has(node.start)) impure(node.name, node.start)
    },
  }
}

function functionVisitor(measure: (name: string, start: number, end: number) => void): VisitorObject {
  return {
    FunctionDeclaration: (node) => measure(node.id?.name ?? 'default function', node.start, node.end),
    FunctionExpression: (node) => measure(node.id?.name ?? 'method', node.start, node.end),
    ArrowFunctionExpression: (node) => measure('arrow function', node.start, node.end),
  }
}

const TYPE_DECLARATIONS = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'ClassDeclaration'])

function exportedTypeVisitor(found: (name: string) => void): VisitorObject {
  return {
    ExportNamedDeclaration({ declaration }) {
      if (declaration === null || !TYPE_DECLARATIONS.has(declaration.type)) return
      if ('id' in declaration && declaration.id?.type === 'Identifier') found(declaration.id.name)
    },
  }
}

function interfaceVisitor(found: (member: InterfaceMember) => void): VisitorObject {
  const typeOf = (parameter: object): string => {
    const { typeAnnotation } = parameter as { typeAnnotation?: { typeAnnotation?: { typeName?: object } } }
    const name = typeAnnotation?.typeAnnotation?.typeName
    return name !== undefined && 'name' in name ? String(name.name) : ''
  }
  return {
    TSInterfaceDeclaration({ id, body }) {
      for (const member of body.body) {
        if (!('key' in member)) continue
        found({
          interfaceName: id.name,
          name: member.key.type === 'Identifier' ? member.key.name : '',
          parameterTypes: member.type === 'TSMethodSignature' ? member.params.map(typeOf) : [],
        })
      }
    },
  }
}

function metricVisitor(found: (name: string) => void): VisitorObject {
  return {
    Literal(node) {
      if (typeof node.value === 'string' && /^(rollcall|process|nodejs)_[a-z0-9_]+$/.test(node.value))
        found(node.value)
    },
  }
}

/** Maps an offset to its line, counted from 1. */
function lineCounter(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}
