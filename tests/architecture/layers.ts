/** Who may import whom, as tables: docs/ARCHITECTURE.md, with the exceptions that ADRs grant. */

/** What the product code of one package may name. Tests beside it may also name TEST_ONLY. */
export interface Layer {
  /** Packages of ours. `wire` is its main entry only; its other entries are named apart. */
  readonly ours: readonly string[]
  /** Packages of others. */
  readonly external: readonly string[]
  /** Whether Node's built-in modules may be used. */
  readonly builtins: boolean
}

/** One row per package, keyed by the folder below packages/. the further entries of wire are layers inside it. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  wire: { ours: [], external: [], builtins: false },
  'wire/shapes': { ours: ['wire'], external: [], builtins: false },
  'wire/http-client': { ours: ['wire', 'wire/schemas', 'wire/shapes'], external: [], builtins: false },
  'wire/schemas': { ours: ['wire', 'wire/shapes'], external: [], builtins: false },
  // ADR 0002: core speaks in the types and the sign arithmetic of wire.
  core: { ours: ['wire'], external: [], builtins: false },
  storage: { ours: ['core'], external: [], builtins: true },
  protocols: {
    ours: ['core', 'wire', 'wire/schemas', 'wire/shapes'],
    external: ['sax', 'ws'],
    builtins: true,
  },
  client: { ours: ['wire', 'wire/shapes'], external: ['ws'], builtins: true },
  // ADR 7: each folder uses its own library only, see LIBRARIES.
  integrations: {
    ours: ['client'],
    external: [
      '@grpc/grpc-js',
      '@nestjs/common',
      '@nestjs/core',
      '@opentelemetry/api',
      'axios',
      'fastify',
      'undici',
    ],
    builtins: true,
  },
  server: {
    ours: ['core', 'wire', 'wire/schemas', 'storage', 'protocols'],
    external: ['pino', 'yaml', 'zod'],
    builtins: true,
  },
  // ADR 0004: `rollcall journal` reads and repairs journals while no server runs.
  cli: {
    ours: ['wire', 'wire/http-client', 'client', 'server', 'storage'],
    external: ['commander', 'string-width'],
    builtins: true,
  },
  console: { ours: ['wire', 'wire/http-client'], external: [], builtins: false },
  // The command once more, under the name that `npx rollcall` asks for: it has no sources.
  rollcall: { ours: ['cli'], external: [], builtins: false },
  testkit: { ours: ['core'], external: [], builtins: true },
  // Time for the tests of every package, and for the simulation: it stands on nothing.
  'testkit/time': { ours: [], external: [], builtins: false },
}

/** What tests may name beyond their package's own layer. */
export const TEST_ONLY: Layer = {
  ours: ['testkit', 'testkit/time'],
  external: ['vitest', 'fast-check', 'ajv', 'dns-packet', '@seriousme/openapi-schema-validator'],
  builtins: true,
}

/** Folders whose subfolders never import each other: adapters of foreign protocols, and stores. */
export const SIBLINGS: Readonly<Record<string, readonly string[]>> = {
  'packages/protocols/src': ['native', 'peer', 'prometheus', 'eureka', 'consul', 'nacos', 'dns', 'xds'],
  'packages/storage/src': ['journal', 'engine'],
  'packages/integrations/src': ['undici', 'axios', 'grpc', 'fastify', 'express', 'nest', 'opentelemetry'],
}

/** Folders that siblings stand on: they never import a sibling. */
export const FLOORS: Readonly<Record<string, readonly string[]>> = {
  'packages/protocols/src': ['http', 'foreign'],
}

/**
 * The order of the folders, and of the loose files, directly below the sources of a package: each may name those before
 * it, for types too. Tests beside them are free. docs/ARCHITECTURE.md has the order of the folders as a sentence.
 */
export const ORDER: Readonly<Record<string, readonly string[]>> = {
  'packages/core/src': [
    'records/',
    'caller.ts',
    'commands.ts',
    'ports.ts',
    'metric-labels.ts',
    'metrics.ts',
    'budgets/',
    'directory/',
    'liveness/',
    'admission/',
    'operators/',
    'publishing/',
    'cluster/',
    'journal-entries.ts',
    'node-options.ts',
    'node-effects.ts',
    'node.ts',
    'queries.ts',
    'registry.ts',
    'recount.ts',
    'index.ts',
    'internal.ts',
  ],
  'packages/client/src': [
    'machine/',
    'balancers/',
    'calls/',
    'start-up/',
    'service-api.ts',
    'api.ts',
    'sharing/',
    'cluster/',
    'clusters/',
    'shell/',
    'changes.ts',
    'known-options.ts',
    'option-types.ts',
    'options.ts',
    'registration.ts',
    'service.ts',
    'service-handle.ts',
    'service-handles.ts',
    'client.ts',
    'connect.ts',
    'index.ts',
    'internal.ts',
  ],
}

/** The folders of a package in their order, as ARCHITECTURE.md has it. */
export function orderOfFolders(sources: string): string {
  const folders = (ORDER[sources] ?? []).filter((name) => name.endsWith('/'))
  return folders.map((name) => name.slice(0, -1)).join(' < ')
}

/** What the folders of integrations may name: the library that they are for. What they share names none. */
export const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  undici: ['undici'],
  axios: ['axios'],
  grpc: ['@grpc/grpc-js'],
  fastify: ['fastify'],
  express: [],
  nest: ['@nestjs/common', '@nestjs/core'],
  opentelemetry: ['@opentelemetry/api'],
}

/** The files that name every adapter and store. */
export const COMPOSITION = {
  files: ['packages/server/src/compose.ts', 'packages/server/src/foreign.ts'],
  names: ['protocols', 'storage'],
}

/** File names that implement the ports of time and chance; one of each per package. */
export const PORT_FILES: readonly string[] = ['clock.ts', 'random.ts']

/** Other files that draw by chance or read a clock, each with the reason why no test needs to steer it. */
export const IMPURE_FILES: Readonly<Record<string, string>> = {
  'packages/storage/src/journal/lock.ts':
    'a name per attempt to lock, which must differ between processes started at once',
}

/** Tests below the integration layer that wait on a real clock, each with its reason. */
export const REAL_TIME_TESTS: Readonly<Record<string, string>> = {}
