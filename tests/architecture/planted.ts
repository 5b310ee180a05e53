/** Violations that never were: for each rule, files that break it, so that each rule is seen to fail. */

/** One violation: added to the real sources, `culprit` must be named by the rule. */
export interface Planted {
  readonly rule: string
  readonly about: string
  readonly files: Readonly<Record<string, string>>
  readonly culprit: string
}

const LAYER = 'packages import only what their layer allows'
const SEES = 'adapters see of the core its door only'
const ASKS = 'every member of the door takes the caller'
const ORDERED = 'the folders of a package depend on earlier ones only'
const PORTS = 'only port files touch time and chance'

function one(rule: string, about: string, path: string, text: string): Planted {
  return { rule, about, files: { [path]: text }, culprit: path }
}

/** At least one for each rule, and one for each way in which a module can name another. */
export const PLANTED: readonly Planted[] = [
  one('every file parses', 'a syntax error', 'packages/core/src/planted.ts', 'export const = 1'),
  one(
    'every import leads somewhere',
    'a missing file',
    'packages/core/src/planted.ts',
    `import './nowhere.js'`,
  ),
  one(
    'every import leads somewhere',
    'a computed import',
    'packages/core/src/planted.ts',
    'await import(`./${name}.js`)',
  ),
  one(
    LAYER,
    'core uses a built-in',
    'packages/core/src/planted.ts',
    `import { readFileSync } from 'node:fs'`,
  ),
  one(
    LAYER,
    'core uses a built-in without prefix',
    'packages/core/src/planted.ts',
    `import { readFileSync } from 'fs'`,
  ),
  one(
    SEES,
    'an adapter takes the rules themselves',
    'packages/protocols/src/native/planted.ts',
    `import { RegistryNode } from '@rollcall/core'`,
  ),
  one(
    SEES,
    'an adapter makes queries of its own',
    'packages/protocols/src/prometheus/planted.ts',
    `import { Queries } from '@rollcall/core'`,
  ),
  one(
    SEES,
    'the floor takes all there is',
    'packages/protocols/src/http/planted.ts',
    `import * as core from '@rollcall/core'`,
  ),
  one(
    SEES,
    'an adapter passes it on',
    'packages/protocols/src/native/planted.ts',
    `export * from '@rollcall/core'`,
  ),
  one(
    ASKS,
    'a method without caller',
    'packages/core/src/registry.ts',
    `export interface Registry { execute(command: Command, caller: Caller): void; polled(name: ViewName): void }`,
  ),
  one(
    ASKS,
    'a second door behind the first',
    'packages/core/src/registry.ts',
    `export interface Registry { execute(command: Command, caller: Caller): void; readonly operators: OperatorApi }`,
  ),
  one(
    ORDERED,
    'a folder names a later one, by type',
    'packages/core/src/directory/planted.ts',
    `import type { Liveness } from '../liveness/liveness.js'`,
  ),
  one(ORDERED, 'a file has no place', 'packages/core/src/planted.ts', ''),
  one(LAYER, 'core uses a package', 'packages/core/src/planted.ts', `import { z } from 'zod'`),
  one(LAYER, 'core imports storage', 'packages/core/src/planted.ts', `import '@rollcall/storage'`),
  one(LAYER, 'core imports the schemas', 'packages/core/src/planted.ts', `import '@rollcall/wire/schemas'`),
  one(LAYER, 'wire imports core', 'packages/wire/src/planted.ts', `import { METRICS } from '@rollcall/core'`),
  one(LAYER, 'the main entry of wire uses zod', 'packages/wire/src/planted.ts', `import { z } from 'zod'`),
  one(
    LAYER,
    'the main entry of wire uses its schemas',
    'packages/wire/src/planted.ts',
    `export * from './schemas/index.js'`,
  ),
  one(LAYER, 'the SDK uses zod', 'packages/client/src/planted.ts', `import { z } from 'zod'`),
  one(LAYER, 'the SDK uses the schemas', 'packages/client/src/planted.ts', `import '@rollcall/wire/schemas'`),
  one(
    LAYER,
    'the SDK imports core, by type',
    'packages/client/src/planted.ts',
    `import type { MetricName } from '@rollcall/core'`,
  ),
  one(
    LAYER,
    'by a type expression',
    'packages/client/src/planted.ts',
    `export type Name = import('@rollcall/core').MetricName`,
  ),
  one(LAYER, 'by a re-export', 'packages/client/src/planted.ts', `export { METRICS } from '@rollcall/core'`),
  one(
    LAYER,
    'by a re-export of everything',
    'packages/client/src/planted.ts',
    `export * from '@rollcall/core'`,
  ),
  one(LAYER, 'by a dynamic import', 'packages/client/src/planted.ts', `await import('@rollcall/core')`),
  one(LAYER, 'by require', 'packages/client/src/planted.ts', `require('@rollcall/core')`),
  one(
    LAYER,
    'by an import assignment',
    'packages/client/src/planted.ts',
    `import core = require('@rollcall/core')`,
  ),
  one(
    LAYER,
    'the console reaches the server',
    'packages/console/src/planted.ts',
    `import '@rollcall/server'`,
  ),
  one(LAYER, 'product code uses testkit', 'packages/server/src/planted.ts', `import '@rollcall/testkit'`),
  one(LAYER, 'product code uses fast-check', 'packages/core/src/planted.ts', `import 'fast-check'`),
  one(
    'what is imported is a declared dependency',
    'not in package.json',
    'packages/wire/src/planted.ts',
    `import 'left-pad'`,
  ),
  one(
    'what is imported is a declared dependency',
    'a package by its own name',
    'packages/core/src/planted.ts',
    `import '@rollcall/core'`,
  ),
  one(
    'packages are entered by their declared entries',
    'an undeclared subpath',
    'packages/server/src/planted.ts',
    `import '@rollcall/core/dist/merge.js'`,
  ),
  one(
    'packages are entered by their declared entries',
    'a path around the entries',
    'packages/server/src/planted.ts',
    `import '../../core/src/records/record.js'`,
  ),
  one(
    'packages are entered by their declared entries',
    'also from tests',
    'tests/simulation/planted.test.ts',
    `import '../../packages/core/src/records/record.js'`,
  ),
  one(
    'every import leads somewhere',
    'what tests alone may import',
    'packages/cli/src/planted.ts',
    `import '#client/internal'`,
  ),
  {
    rule: 'what adapters stand on knows none of them',
    about: 'the floor uses an adapter',
    files: {
      'packages/protocols/src/http/planted.ts': `import '../dns/planted.js'`,
      'packages/protocols/src/dns/planted.ts': 'export {}',
    },
    culprit: 'packages/protocols/src/http/planted.ts',
  },
  {
    rule: 'adapters and stores never import each other',
    about: 'dns uses eureka',
    files: {
      'packages/protocols/src/dns/planted.ts': `import '../eureka/planted.js'`,
      'packages/protocols/src/eureka/planted.ts': 'export {}',
    },
    culprit: 'packages/protocols/src/dns/planted.ts',
  },
  one(
    'an integration uses its own library only',
    'express uses fastify, by type',
    'packages/integrations/src/express/planted.ts',
    `import type { FastifyInstance } from 'fastify'`,
  ),
  one(
    'an integration uses its own library only',
    'what they share uses one of them',
    'packages/integrations/src/planted.ts',
    `import 'undici'`,
  ),
  one(
    'two files name the adapters and stores',
    'a listener names an adapter',
    'packages/server/src/planted.ts',
    `import '@rollcall/protocols/native'`,
  ),
  {
    rule: 'no cycle between packages',
    about: 'wire and core, by type',
    files: { 'packages/wire/src/planted.ts': `import type { MetricName } from '@rollcall/core'` },
    culprit: '@rollcall/wire',
  },
  {
    rule: 'no cycle between modules at run time',
    about: 'three files in a ring',
    files: {
      'packages/core/src/planted-a.ts': `import './planted-b.js'`,
      'packages/core/src/planted-b.ts': `export * from './planted-c.js'`,
      'packages/core/src/planted-c.ts': `await import('./planted-a.js')`,
    },
    culprit: 'packages/core/src/planted-b.ts',
  },
  ...['interface Planted {}', 'type Planted = string', 'class Planted {}'].map((declaration) => ({
    rule: 'an exported type name stands for one idea in the product',
    about: `${declaration.split(' ')[0]} of a name that another package uses`,
    files: {
      'packages/core/src/planted.ts': `export ${declaration}`,
      'packages/client/src/planted.ts': 'export interface Planted {}',
    },
    culprit: 'packages/core/src/planted.ts',
  })),
  one(PORTS, 'the date', 'packages/core/src/planted.ts', 'export const at = Date.now()'),
  one(PORTS, 'the date as an object', 'packages/core/src/planted.ts', 'export const at = new Date()'),
  one(PORTS, 'the date, passed on', 'packages/core/src/planted.ts', 'export const clock = { now: Date.now }'),
  one(PORTS, 'a timer', 'packages/server/src/planted.ts', 'setTimeout(() => {}, 1)'),
  one(
    PORTS,
    'a timer, passed on',
    'packages/server/src/planted.ts',
    'export const deps = { later: setTimeout }',
  ),
  one(
    PORTS,
    'a timer of the module',
    'packages/server/src/planted.ts',
    `import { setTimeout as sleep } from 'node:timers/promises'`,
  ),
  one(
    PORTS,
    'a timer of a signal',
    'packages/client/src/planted.ts',
    'export const signal = AbortSignal.timeout(1)',
  ),
  one(PORTS, 'chance', 'packages/client/src/planted.ts', `export const dice = Math['random']()`),
  one(
    PORTS,
    'chance from crypto',
    'packages/server/src/planted.ts',
    `import { randomUUID } from 'node:crypto'`,
  ),
  one(
    'tests below integration never wait on a real clock',
    'a unit test sleeps',
    'packages/core/src/planted.test.ts',
    'await new Promise((done) => setTimeout(done, 5))',
  ),
]
