/** Writers that note what they were told, and what a restarted server must know by that. */
import { crc32 } from 'node:zlib'
import type { DeregisterResponse, RegisterResponse, View } from '@rollcall/wire'

/** What the clients were told, to be held against what a restarted server knows. */
export class Ledger {
  readonly service: string

  /** Highest version sent, and highest version acknowledged as durable. */
  readonly sent = new Map<string, number>()
  readonly acked = new Map<string, number>()
  readonly leaving = new Set<string>()
  readonly left = new Set<string>()

  constructor(service = 'load') {
    this.service = service
  }

  /** An instance whose metadata vouches for the whole of it. */
  instance(id: string, rev: number): { id: string } & Record<string, unknown> {
    this.sent.set(id, rev)
    const port = 1 + (crc32(id) % 65_000)
    const check = String(crc32(`${id} ${rev} ${port}`))
    return {
      service: this.service,
      id,
      host: '127.0.0.1',
      port,
      incarnation: 1,
      rev,
      metadata: { rev: String(rev), check },
    }
  }

  registered(instances: readonly { id: string }[], { results }: RegisterResponse): void {
    for (const [at, result] of results.entries()) {
      const { id, rev } = instances[at] as { id: string; rev?: number }
      if (result.ok && result.durability === 'disk')
        this.acked.set(id, Math.max(rev ?? 0, this.acked.get(id) ?? 0))
    }
  }

  deregistered({ removed, durability }: DeregisterResponse): void {
    if (durability === 'disk') for (const { id } of removed) this.left.add(id)
  }

  /** What is wrong with a list; empty = every promise was kept. */
  faultsOf({ instances }: View): string[] {
    const faults: string[] = []
    const present = new Map(instances.map((instance) => [instance.id, instance]))
    for (const { id, port, metadata } of instances) {
      const rev = Number(metadata['rev'])
      if (metadata['check'] !== String(crc32(`${id} ${rev} ${port}`))) faults.push(`${id} is garbled`)
      if (rev > (this.sent.get(id) ?? -1)) faults.push(`${id} rev ${rev} was invented`)
      if (rev < (this.acked.get(id) ?? 0)) faults.push(`${id} fell back to rev ${rev}`)
      if (this.left.has(id)) faults.push(`${id} has returned`)
    }
    for (const id of this.acked.keys())
      if (!present.has(id) && !this.leaving.has(id)) faults.push(`${id} is lost`)
    return faults
  }
}

/** Sends one request and resolves with the body of the answer. */
export type Send = (type: 'register' | 'deregister', body: object) => Promise<unknown>

/** Registers, updates and deregisters until the server dies. */
export async function load(name: string, ledger: Ledger, send: Send): Promise<void> {
  try {
    for (let batch = 0; ; batch++) {
      const ids = Array.from({ length: 10 }, (_, at) => `${name}-${batch}-${at}`)
      for (const rev of [1, 2]) {
        const instances = ids.map((id) => ledger.instance(id, rev))
        ledger.registered(instances, (await send('register', { instances })) as RegisterResponse)
      }
      const leaving = ids.slice(0, 3)
      for (const id of leaving) ledger.leaving.add(id)
      const instances = leaving.map((id) => ({ service: ledger.service, id, incarnation: 1 }))
      ledger.deregistered((await send('deregister', { instances })) as DeregisterResponse)
    }
  } catch {
    // The server died, as planned.
  }
}
