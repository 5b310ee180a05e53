// Both builds of the SDK in one process: `two-builds.mjs REGISTRY`. Prints `ok`, or throws at what they do not share.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import * as modules from '@rollcall/client'
import * as grpc from '@rollcall/integrations/grpc'
import * as nest from '@rollcall/integrations/nest'
import * as wire from '@rollcall/wire'

const require = createRequire(import.meta.url)
const common = require('@rollcall/client')
const { Client, credentials, Server, ServerCredentials } = require('@grpc/grpc-js')
const [registry] = process.argv.slice(2)
const options = { registries: [registry], snapshotDir: false }
assert.notEqual(common.connect, modules.connect, 'these are two builds')

// Errors: by brand, by code and by class, both ways.
for (const [own, other] of [
  [modules, common],
  [common, modules],
]) {
  const error = await own.connect({ registries: ['nowhere'] }).catch((reason) => reason)
  assert.equal(error.code, 'invalid_argument')
  assert(
    other.isRegistryError(error) &&
      error instanceof other.RegistryError &&
      error instanceof own.RegistryError,
  )
  assert(!(new Error('x') instanceof other.RegistryError))
}
const common2 = require('@rollcall/wire')
class Derived extends common2.RegistryError {}
assert(new Derived('closed', 'x') instanceof wire.RegistryError)
assert(!(new wire.RegistryError('closed', 'x') instanceof Derived), 'a derived class is no brand')

// Incarnations: one sequence, whichever build asks.
const [first, second] = [await modules.connect(options), await common.connect(options)]
const numbers = []
for (const [client, port] of [
  [first, 1],
  [second, 2],
  [first, 3],
  [second, 4],
]) {
  const { id } = await client.register({ service: 'both', host: '127.0.0.1', port, liveness: 'static' })
  const both = client.service('both')
  let found
  while (found === undefined) {
    await sleep(10)
    found = both.instances().find((instance) => instance.id === id)
  }
  numbers.push(found.incarnation)
}
assert.deepEqual(numbers, [numbers[0], numbers[0] + 1, numbers[0] + 2, numbers[0] + 3])

// Resolvers: the one that a module installed serves the channels that CommonJS makes.
const server = new Server()
const port = await new Promise((resolve, reject) => {
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  )
})
await second.register({ service: 'greeter', host: '127.0.0.1', port })
grpc.installResolver(first)
const channel = new Client('rollcall:///greeter', credentials.createInsecure())
await new Promise((resolve, reject) => {
  channel.waitForReady(Date.now() + 20_000, (error) => (error === undefined ? resolve() : reject(error)))
})
channel.close()

// Tokens: what one build provides the other one injects.
const commonNest = require('@rollcall/integrations/nest')
assert.equal(commonNest.ROLLCALL, nest.ROLLCALL)
assert.equal(commonNest.ROLLCALL_PROVIDER, nest.ROLLCALL_PROVIDER)

await Promise.all([first.close(), second.close()])
server.forceShutdown()
process.stdout.write('ok\n')
