/** `/api` leads on: what it names is there, and its examples run as they stand. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiIndex } from '@rollcall/wire'
import { call, startNode, type TestNode } from './native-node.fixture.js'

const run = promisify(execFile)

let node: TestNode
beforeAll(async () => {
  node = await startNode({ closeMsMax: 200, version: '1.2.3' })
})
afterAll(() => node.close())

async function index(): Promise<ApiIndex> {
  const { status, body } = await call(node, 'GET', '/api')
  expect(status).toBe(200)
  return body as unknown as ApiIndex
}

describe('/api', () => {
  it('names the version, the document and every operation, those in the forms of others too', async () => {
    const { name, version, document, operations } = await index()
    expect([name, version]).toEqual(['rollcall', '1.2.3'])
    const described = (await call(node, 'GET', document)).body as unknown as { paths: object }
    expect(new Set(operations.map(({ path }) => path))).toEqual(
      new Set([...Object.keys(described.paths), '/prometheus/sd']),
    )
  })

  it('has examples that run, against the node that was asked', async () => {
    const { examples } = await index()
    const answers = []
    for (const example of examples) answers.push(JSON.parse((await run('sh', ['-c', example])).stdout))
    expect(answers).toMatchObject([
      { results: [{ ok: true, service: 'hello' }] },
      { services: [{ service: 'hello' }] },
      { instances: [{ id: 'hello-1', state: 'up' }] },
      { removed: [{ id: 'hello-1' }] },
    ])
  })

  it('is what an unknown path points to', async () => {
    for (const path of ['/', '/api/', '/api/v1', '/api/v2/services']) {
      const { status, body } = await call(node, 'GET', path)
      expect([status, body.error.message]).toEqual([
        404,
        'there is nothing at this path; GET /api says what there is',
      ])
    }
  })
})
