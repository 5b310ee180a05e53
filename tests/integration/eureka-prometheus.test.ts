/** Prometheus discovers by `eureka_sd_config` what is registered: one value that it cannot read would cost it the whole list. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startNode } from '@rollcall/server'
import { expect, it } from 'vitest'
import { findPrometheus } from './support/guests/prometheus.js'

const run = promisify(execFile)

interface Discovered {
  readonly discoveredLabels: Readonly<Record<string, string>>
}

it('promtool lists every instance, whatever its metadata is and whichever protocol it came by', async (context) => {
  const promtool = await findPrometheus(context, 'promtool')
  await using node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    eureka: '127.0.0.1:0',
    logLevel: 'error',
  })
  const send = async (url: string, body: object): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    const { ok } = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(ok).toBe(true)
  }
  const base = `${node.foreign['eureka']}/eureka`
  const metadata = { foo_bar: '1', '1 a$:é': '<&"\u0001\r\n', 版本: '二', 'management.port': '9' }
  await send(`${base}/apps/orders`, {
    instance: {
      instanceId: 'a',
      app: 'orders',
      hostName: 'h.example',
      ipAddr: '10.0.0.1',
      status: 'OUT_OF_SERVICE',
      port: { $: '3000', '@enabled': 'true' },
      dataCenterInfo: { name: 'MyOwn' },
      metadata,
    },
  })
  await send(`${node.url}/api/v1/register`, {
    instances: [{ service: 'users', host: '10.0.0.2', port: 80, metadata, liveness: 'static' }],
  })
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-promtool-'))
  try {
    const file = join(folder, 'prometheus.yml')
    const job = `{"job_name":"eureka","eureka_sd_configs":[{"server":"${base}"}]}`
    writeFileSync(file, `scrape_configs: [${job}]\n`)
    const { stdout } = await run(promtool, ['check', 'service-discovery', '--timeout=10s', file, 'eureka'])
    const found = (JSON.parse(stdout) as readonly Discovered[]).map((each) => each.discoveredLabels)
    expect(found.map((labels) => labels['__address__']).toSorted()).toEqual(['10.0.0.2:80', 'h.example:3000'])
    for (const labels of found) {
      expect(labels).toMatchObject({ __meta_eureka_app_instance_metadata_foo__bar: '1' })
      expect(labels['__meta_eureka_app_instance_metadata_management_port']).toBe('9')
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
