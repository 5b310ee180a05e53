// A provider in a web framework: `framework-child.mjs express|fastify|nest REGISTRY SERVICE`. Answers with its pid after
// a few milliseconds, so that requests are under way whenever it is killed; leaves gracefully on SIGTERM.
import { setTimeout as sleep } from 'node:timers/promises'

const [framework, registry, service] = process.argv.slice(2)
const register = { service, metadata: { framework }, ready: () => sleep(50), settleMs: 300 }
const client = { registries: [registry], snapshotDir: false }

const answer = () => sleep(5, String(process.pid))

const frameworks = {
  async express() {
    const { default: express } = await import('express')
    const { serve } = await import('@rollcall/integrations/express')
    const app = express().use((_request, response, next) => {
      answer().then((text) => response.send(text), next)
    })
    return serve(app, { ...register, client, listen: { host: '127.0.0.1' }, signals: ['SIGTERM'] })
  },

  async fastify() {
    const { default: fastify } = await import('fastify')
    const { rollcall } = await import('@rollcall/integrations/fastify')
    const app = fastify()
    await app.register(rollcall, { ...register, client })
    app.all('/*', answer)
    await app.listen({ host: '127.0.0.1', port: 0 })
    process.once('SIGTERM', () => void app.close())
    return app.rollcall
  },

  async nest() {
    const { All, Controller } = await import('@nestjs/common')
    const { NestFactory } = await import('@nestjs/core')
    const { RollcallModule, ROLLCALL_PROVIDER } = await import('@rollcall/integrations/nest')
    // What the decorators would do.
    class Orders {
      answer() {
        return answer()
      }
    }
    All('{*path}')(Orders.prototype, 'answer', Object.getOwnPropertyDescriptor(Orders.prototype, 'answer'))
    Controller()(Orders)
    // oxlint-disable-next-line typescript/no-extraneous-class -- Nest knows modules by their classes
    class Root {}
    const module = {
      module: Root,
      imports: [RollcallModule.forRoot({ client, register })],
      controllers: [Orders],
    }
    const app = await NestFactory.create(module, { logger: ['error'] })
    app.enableShutdownHooks(['SIGTERM'])
    await app.listen(0, '127.0.0.1')
    return app.get(ROLLCALL_PROVIDER)
  },
}

const { registered } = await frameworks[framework]()
const { id } = await registered
process.send({ ready: id })
process.channel.unref()
