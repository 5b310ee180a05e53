/** A NestJS project as its generator lays it out, with the SDK added and its tests run by Jest without settings of ours. */

/** What `nest new` installs, as far as building and testing need it. */
export const NEST_PACKAGES = [
  '@nestjs/common@11',
  '@nestjs/core@11',
  '@nestjs/platform-express@11',
  '@nestjs/testing@11',
  'reflect-metadata@0.2',
  'rxjs@7',
  'jest@30',
  'ts-jest@29',
  'typescript@5.9',
  '@types/jest@30',
  '@types/node@20',
]

const MODULE = `import { Module, Controller, Get, Inject } from '@nestjs/common'
import { RollcallModule, serviceToken } from '@rollcall/integrations/nest'
import type { Service } from '@rollcall/client'

@Controller()
export class AppController {
  constructor(@Inject(serviceToken('payments')) private readonly payments: Service) {}

  @Get()
  async total(): Promise<string> {
    return (await this.payments.fetch('/total')).text()
  }
}

@Module({
  imports: [
    RollcallModule.forRootAsync({
      useFactory: () => ({
        client: {
          registries: [],
          snapshotDir: false,
          static: { payments: [{ host: '127.0.0.1', port: Number(process.env.PAYMENTS_PORT) }] },
        },
      }),
    }),
    RollcallModule.forFeature(['payments']),
  ],
  controllers: [AppController],
})
export class AppModule {}
`

/** Without a registry, and by injection. */
const CONTROLLER_SPEC = `import { once } from 'node:events'
import { createServer } from 'node:http'
import { Test } from '@nestjs/testing'
import { AppController, AppModule } from './app.module'

it('calls what is listed', async () => {
  const payments = createServer((_request, response) => response.end('12'))
  await once(payments.listen(0, '127.0.0.1'), 'listening')
  process.env.PAYMENTS_PORT = String((payments.address() as { port: number }).port)
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile()
  await module.init()
  expect(await module.get(AppController).total()).toBe('12')
  await module.close()
  payments.close()
})
`

/** The same id in two files of tests: Jest runs both in one process, each in a world of its own. */
const registrationSpec = `import { connect, isRegistryError, RegistryError } from '@rollcall/client'

it('registers at a real node, under an id that another file had', async () => {
  const client = await connect({ registries: [process.env.ROLLCALL_REGISTRY!], snapshotDir: false })
  const registration = await client.register({ service: 'orders', host: '127.0.0.1', port: 3000 })
  expect(registration.state).toBe('up')
  const error: unknown = await client.service('absent').ready({ timeoutMs: 50 }).catch((reason) => reason)
  expect(isRegistryError(error) && error instanceof RegistryError).toBe(true)
  await client.close()
})
`

const GLOBAL_SETUP = `import { startNode } from '@rollcall/server'

export default async function () {
  globalThis.registry = await startNode({ memory: true, listen: '127.0.0.1:0', logLevel: 'error' })
  process.env.ROLLCALL_REGISTRY = globalThis.registry.url
}
`

const GLOBAL_TEARDOWN = `export default () => globalThis.registry.close()
`

/** Its files by path. The part of Jest is the generator's, with the two lines for a node. */
export const NEST_FILES = {
  'package.json': JSON.stringify({
    name: 'project',
    private: true,
    jest: {
      moduleFileExtensions: ['js', 'json', 'ts'],
      rootDir: 'src',
      testRegex: '.*\\.spec\\.ts$',
      transform: { '^.+\\.(t|j)s$': 'ts-jest' },
      testEnvironment: 'node',
      globalSetup: '../registry-up.mjs',
      globalTeardown: '../registry-down.mjs',
    },
  }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      moduleResolution: 'nodenext',
      resolvePackageJsonExports: true,
      esModuleInterop: true,
      isolatedModules: true,
      declaration: true,
      removeComments: true,
      emitDecoratorMetadata: true,
      experimentalDecorators: true,
      allowSyntheticDefaultImports: true,
      target: 'ES2023',
      sourceMap: true,
      outDir: './dist',
      baseUrl: './',
      incremental: true,
      skipLibCheck: true,
      strictNullChecks: true,
      forceConsistentCasingInFileNames: true,
      noImplicitAny: false,
      strictBindCallApply: false,
      noFallthroughCasesInSwitch: false,
    },
  }),
  'registry-up.mjs': GLOBAL_SETUP,
  'registry-down.mjs': GLOBAL_TEARDOWN,
  'src/app.module.ts': MODULE,
  'src/app.controller.spec.ts': CONTROLLER_SPEC,
  'src/orders.spec.ts': registrationSpec,
  'src/orders-again.spec.ts': registrationSpec,
}
