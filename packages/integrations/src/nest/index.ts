/** Modules that give NestJS applications a client and its services, and register them while they listen. */
import { Logger } from '@nestjs/common'
import type {
  DynamicModule,
  FactoryProvider,
  ModuleMetadata,
  OnApplicationShutdown,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import type { Server } from 'node:net'
import type { ConnectOptions, Rollcall } from '@rollcall/client'
import type { ProviderOptions } from '../provider.js'
import { openClient, RegisteredServer } from '../provider.js'
import { SYSTEM_TIMING } from '../clock.js'

export type { Provider, ProviderOptions } from '../provider.js'

/** What `RollcallModule` needs to know. */
export interface RollcallModuleOptions {
  /** A client, which stays open; or the options of one that is closed with the application. */
  readonly client: Rollcall | ConnectOptions
  /** How the application is registered while it listens. Default: it only calls others. */
  readonly register?: Omit<ProviderOptions, 'client'>
}

/** The same from a factory, for options that other providers know. */
export interface RollcallModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject']
  readonly useFactory: FactoryProvider<RollcallModuleOptions | Promise<RollcallModuleOptions>>['useFactory']
}

/** Token of the client: `@Inject(ROLLCALL) rollcall: Rollcall`. */
export const ROLLCALL: unique symbol = Symbol.for('rollcall.client')

/** Token of the application's registration, a `Provider`; undefined where it only calls others. */
export const ROLLCALL_PROVIDER: unique symbol = Symbol.for('rollcall.provider')

const OPTIONS: unique symbol = Symbol('rollcall.options')
const CONNECTION: unique symbol = Symbol('rollcall.connection')

/** Token of a service of `RollcallModule.forFeature`: `@Inject(serviceToken('payments')) payments: Service`. */
export function serviceToken(service: string): string {
  return `rollcall.service:${service}`
}

/**
 * The module for the root of an application. The instance is registered when the application listens, and leaves as
 * soon as it is closed, while calls are still answered (`app.enableShutdownHooks()` closes it on signals). What calls
 * need should therefore end in `onApplicationShutdown`, not in `onModuleDestroy`. The client is injectable
 * everywhere; its own client ends last. A registration that fails is logged, and the application goes on.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- Nest knows modules by their classes
export class RollcallModule {
  static forRoot(options: RollcallModuleOptions): DynamicModule {
    return RollcallModule.forRootAsync({ useFactory: () => options })
  }

  static forRootAsync({ imports, inject, useFactory }: RollcallModuleAsyncOptions): DynamicModule {
    const options: FactoryProvider = { provide: OPTIONS, useFactory, ...(inject && { inject }) }
    return {
      module: RollcallModule,
      imports: [
        {
          module: RollcallConnectionModule,
          global: true,
          ...(imports && { imports }),
          providers: [
            options,
            {
              provide: CONNECTION,
              useFactory: (given: RollcallModuleOptions) => Connection.open(given),
              inject: [OPTIONS],
            },
            { provide: ROLLCALL, useFactory: ({ client }: Connection) => client, inject: [CONNECTION] },
            {
              provide: ROLLCALL_PROVIDER,
              useFactory: ({ server }: Connection) => server,
              inject: [CONNECTION],
            },
          ],
          exports: [ROLLCALL, ROLLCALL_PROVIDER, CONNECTION],
        },
      ],
      // Global modules are destroyed last, but leaving must come early: so it is not in the one above.
      providers: [
        {
          provide: Registrar,
          useFactory: (connection: Connection, host: HttpAdapterHost) => new Registrar(connection, host),
          inject: [CONNECTION, HttpAdapterHost],
        },
      ],
    }
  }

  /** Watches services from the start and makes them injectable by `serviceToken`. */
  static forFeature(services: readonly string[]): DynamicModule {
    const providers = services.map((name) => ({
      provide: serviceToken(name),
      useFactory: (client: Rollcall) => client.service(name),
      inject: [ROLLCALL],
    }))
    return { module: RollcallModule, providers, exports: providers.map(({ provide }) => provide) }
  }
}

// oxlint-disable-next-line typescript/no-extraneous-class -- Nest knows modules by their classes
class RollcallConnectionModule {}

/** The client of the application and, if it is to be registered, its server. */
class Connection implements OnApplicationShutdown {
  readonly client: Rollcall
  readonly server: RegisteredServer | undefined
  private readonly own: boolean

  private constructor(client: Rollcall, own: boolean, server: RegisteredServer | undefined) {
    this.client = client
    this.own = own
    this.server = server
  }

  static async open({ client: given, register }: RollcallModuleOptions): Promise<Connection> {
    const { client, own } = await openClient(given)
    const server = register && new RegisteredServer(client, own, { client, ...register }, SYSTEM_TIMING)
    return new Connection(client, own, server)
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.server !== undefined) await this.server.end()
    else if (this.own) await this.client.close()
  }
}

/** Registers the application when it listens, and takes it back before it stops. */
class Registrar implements OnModuleInit, OnModuleDestroy {
  private readonly connection: Connection
  private readonly host: HttpAdapterHost

  constructor(connection: Connection, host: HttpAdapterHost) {
    this.connection = connection
    this.host = host
  }

  onModuleInit(): void {
    const { server } = this.connection
    if (server === undefined) return
    const listener = this.host.httpAdapter.getHttpServer() as Server
    server.follow(listener)
    this.host.listen$.subscribe(() => {
      server
        .listening(listener)
        .catch((error: unknown) => new Logger('Rollcall').error(error, 'not registered'))
    })
  }

  async onModuleDestroy(): Promise<void> {
    await this.connection.server?.leave()
  }
}
