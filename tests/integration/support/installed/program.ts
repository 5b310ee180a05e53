/** A program of a user, as every compiler setting has to understand it: each entry once, by value and by type. */
import { connect, isRegistryError, RegistryError, type Rollcall, type Service } from '@rollcall/client'
import { createAdapter } from '@rollcall/integrations/axios'
import { serve } from '@rollcall/integrations/express'
import { rollcall as plugin } from '@rollcall/integrations/fastify'
import { installResolver } from '@rollcall/integrations/grpc'
import { ROLLCALL, RollcallModule } from '@rollcall/integrations/nest'
import { createObserver } from '@rollcall/integrations/opentelemetry'
import { createDispatcher } from '@rollcall/integrations/undici'
import { ERROR_CODES } from '@rollcall/wire'
import { createApi } from '@rollcall/wire/http-client'

export async function main(registry: string): Promise<string> {
  const client: Rollcall = await connect({ registries: [registry], snapshotDir: false })
  const orders: Service = client.service('orders')
  try {
    await orders.ready({ timeoutMs: 100 })
    return orders.pick().host
  } catch (error) {
    if (isRegistryError(error)) return error.code
    return error instanceof RegistryError ? error.message : ERROR_CODES.closed.help
  } finally {
    await client.close()
  }
}

export const all = [
  createAdapter,
  serve,
  plugin,
  installResolver,
  ROLLCALL,
  RollcallModule,
  createObserver,
  createDispatcher,
  createApi,
]
