/** gRPC probes of real servers. */
import { Server, ServerCredentials, status as Status } from '@grpc/grpc-js'
import type { handleUnaryCall, ServiceDefinition } from '@grpc/grpc-js'
import { createServer as createHttpServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { atEnd, closedPort, listen, setUp, stoppedProcess, TLS } from './prober.fixture.js'

/** As the health protocol numbers them. */
const SERVING = 1
const NOT_SERVING = 2

interface Asked {
  readonly service: string
}

/** `grpc.health.v1.Health/Check` by hand: one text in, one number out. */
const HEALTH: ServiceDefinition = {
  check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes: Buffer): Asked => ({ service: bytes.subarray(2).toString() }),
    responseSerialize: (value: number) => Buffer.from(value === 0 ? [] : [0x08, value]),
    responseDeserialize: () => 0,
  },
}

/** A real gRPC server in which each service has its health; `silent` never answers. */
async function serve(
  health: Readonly<Record<string, number>> | undefined,
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<{ readonly server: Server; readonly port: number }> {
  const check: handleUnaryCall<Asked, number> = (call, callback) => {
    if (call.request.service === 'silent') return
    const value = health?.[call.request.service]
    if (value === undefined) callback({ code: Status.NOT_FOUND, details: 'unknown service' })
    else callback(null, value)
  }
  const server = new Server()
  if (health !== undefined) server.addService(HEALTH, { check })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  atEnd(() => server.forceShutdown())
  return { server, port }
}

describe('gRPC probes of a real server', () => {
  it('believe its health service, as a whole and by service', async () => {
    const { explain } = setUp()
    const { port } = await serve({
      '': SERVING,
      'shop.Orders': SERVING,
      'shop.Old': NOT_SERVING,
      'shop.New': 0,
    })
    const ask = (serviceName?: string) =>
      explain({ type: 'grpc', port, ...(serviceName === undefined ? {} : { serviceName }) })
    expect(await ask()).toEqual({ outcome: 'succeeded' })
    expect(await ask('shop.Orders')).toEqual({ outcome: 'succeeded' })
    expect(await ask('shop.Old')).toEqual({ outcome: 'failed', cause: 'NOT_SERVING' })
    expect(await ask('shop.New')).toEqual({ outcome: 'failed', cause: 'UNKNOWN' })
    expect(await ask('shop.Other')).toEqual({ outcome: 'failed', cause: `grpc-status ${Status.NOT_FOUND}` })
  })

  it('fail where there is no health service, or no gRPC', async () => {
    const { probe, explain } = setUp()
    const { port } = await serve(undefined)
    expect(await explain({ type: 'grpc', port })).toEqual({
      outcome: 'failed',
      cause: `grpc-status ${Status.UNIMPLEMENTED}`,
    })
    expect(
      await probe({ type: 'grpc', port: await listen(createHttpServer((_, response) => response.end())) }),
    ).toBe('failed')
  })

  it('tell one that hangs from one that is gone', async () => {
    const { probe, explain } = setUp()
    const { port } = await serve({ '': SERVING })
    const timeout = { outcome: 'failed', cause: 'timeout' }
    expect(await explain({ type: 'grpc', port, serviceName: 'silent', timeoutMs: 300 })).toEqual(timeout)
    expect(await explain({ type: 'grpc', port: await stoppedProcess(100), timeoutMs: 300 })).toEqual(timeout)
    expect(await probe({ type: 'grpc', port: await closedPort() })).toBe('refused')
  })

  it('follow a server from its start to its end', async () => {
    const health = { '': NOT_SERVING }
    const { probe } = setUp()
    const { server, port } = await serve(health)
    expect(await probe({ type: 'grpc', port })).toBe('failed')
    health[''] = SERVING
    expect(await probe({ type: 'grpc', port })).toBe('succeeded')
    // It resolves only when no connection is left, and so says that the probes left none.
    await new Promise<void>((resolve, reject) =>
      server.tryShutdown((error) => (error ? reject(error) : resolve())),
    )
    expect(await probe({ type: 'grpc', port })).toBe('refused')
  })

  it('take one connection each, many at a time, and hold none afterwards', async () => {
    const { probe, sockets } = setUp({ concurrencyMax: 16 })
    const { port } = await serve({ '': SERVING })
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => probe({ type: 'grpc', port })))
    expect(outcomes.filter((outcome) => outcome === 'succeeded')).toHaveLength(200)
    expect(sockets).toHaveLength(200)
    expect(sockets.filter((socket) => !socket.destroyed)).toEqual([])
  })

  it('speak TLS, with the certificate verified', async () => {
    const pair = { cert_chain: Buffer.from(TLS.cert), private_key: Buffer.from(TLS.key) }
    const { port } = await serve({ '': SERVING }, ServerCredentials.createSsl(null, [pair]))
    const { probe, explain } = setUp({}, TLS.cert)
    expect(await explain({ type: 'grpc', port, host: 'localhost', tls: true })).toEqual({
      outcome: 'succeeded',
    })
    expect(await probe({ type: 'grpc', port, tls: { serverName: 'orders.example' } })).toBe('succeeded')
    expect((await explain({ type: 'grpc', port, tls: { serverName: 'other.example' } })).cause).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
    expect(await probe({ type: 'grpc', port })).toBe('failed')
    const stranger = setUp()
    expect(await stranger.probe({ type: 'grpc', port, tls: true })).toBe('failed')
    expect(await stranger.probe({ type: 'grpc', port, tls: { insecure: true } })).toBe('succeeded')
  })
})
