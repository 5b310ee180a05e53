/** What nodes write to their engine: nothing but what changed. */
import type { EtcdCluster } from '@rollcall/testkit'

/** The revision of the engine now. */
export async function revisionOf(etcd: EtcdCluster): Promise<number> {
  const answer = (await etcd.ask('/v3/kv/range', { key: 'AA==' })) as { header: { revision: string } }
  return Number(answer.header.revision)
}

/** Some of the entries that were written after a revision, for the reader of a failure. */
export async function changedSince(etcd: EtcdCluster, revision: number): Promise<readonly string[]> {
  const range = { key: 'AA==', range_end: 'AA==', min_mod_revision: String(revision + 1), limit: '5' }
  const { kvs = [] } = (await etcd.ask('/v3/kv/range', range)) as {
    kvs?: readonly { key: string; value: string; mod_revision: string; version: string }[]
  }
  const text = (base64: string): string => Buffer.from(base64, 'base64').toString()
  return kvs.map((kv) => `${text(kv.key)} = ${text(kv.value)} at ${kv.mod_revision}, version ${kv.version}`)
}
