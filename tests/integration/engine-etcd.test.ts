/** The engine on a real etcd of three members does what the port promises. */
import { startEtcd, type EtcdCluster } from '@rollcall/testkit'
import { afterAll } from 'vitest'
import { describeEngine } from '#storage/engine-conformance'
import { ETCD_TRAITS, openEtcd } from './support/etcd-engine.js'
import { describeEtcd } from './support/guests/etcd.js'

await describeEtcd(['debian', 'current'], (version, program) => {
  let cluster: Promise<EtcdCluster> | undefined
  afterAll(async () => (await cluster)?.close())
  describeEngine(version, ETCD_TRAITS, async () => openEtcd(await (cluster ??= startEtcd({ program }))))
})
