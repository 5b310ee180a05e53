/** The SDK as a program uses it: choosing an instance, and starting to watch. */
import { connect, type BalancingOptions, type Instance, type Rollcall } from '@rollcall/client'
import { createRandom, SEED } from '../random.js'
import { serveProgram } from '../program.js'

/** Which list to choose from. */
export interface PickList {
  readonly instances: number
  readonly options: BalancingOptions
  /** Weights of 1 to 100 by chance; otherwise all alike. */
  readonly weighted: boolean
  /** Each pick names one of a thousand keys. */
  readonly keyed: boolean
}

const SERVICE = 'orders'
const ZONES = ['a', 'b', 'c']
const KEYS = 1_000
let client: Rollcall | undefined
let pickSdk: () => Instance = () => {
  throw new Error('prepare first')
}
let pickBare = pickSdk
/** What was picked last; kept, so that no compiler finds the loop useless. */
let picked: Instance | undefined

/** Makes a client that knows one service, from a static list: `pick` is the same for any source. */
async function prepare({ instances, options, weighted, keyed }: PickList): Promise<void> {
  await client?.close()
  const random = createRandom(SEED)
  const list = Array.from({ length: instances }, (_, index) => ({
    host: `10.1.${index >> 8}.${index & 255}`,
    port: 8_080,
    weight: weighted ? 1 + Math.floor(random() * 100) : 100,
    zone: ZONES[index % ZONES.length]!,
  }))
  client = await connect({ registries: [], snapshotDir: false, warmup: false, static: { [SERVICE]: list } })
  const service = client.service(SERVICE, options)
  await service.ready()
  const plain = service.instances()
  for (const instance of plain) service.report(instance, 'success', { latencyMs: 1 + random() * 10 })
  const choices = Array.from({ length: KEYS }, (_, index) => ({ key: `user-${index}` }))
  let turn = 0
  pickSdk = keyed ? () => service.pick(choices[turn++ % KEYS]) : () => service.pick()
  let position = 0
  pickBare = () => {
    if (position >= plain.length) position = 0
    return plain[position++] as Instance
  }
}

/** Nanoseconds per pick. */
function time({ whose, picks }: { readonly whose: 'sdk' | 'bare'; readonly picks: number }): number {
  const pick = whose === 'sdk' ? pickSdk : pickBare
  const startedAt = process.hrtime.bigint()
  for (let index = 0; index < picks; index++) picked = pick()
  const ns = Number(process.hrtime.bigint() - startedAt)
  if (picked === undefined) throw new Error('nothing was picked')
  return ns / picks
}

/** Milliseconds from `connect` until all these services can be called. */
async function ready({
  url,
  services,
}: {
  readonly url: string
  readonly services: readonly string[]
}): Promise<number> {
  const startedAt = performance.now()
  const fresh = await connect({ registries: [url], snapshotDir: false, warmup: false })
  await Promise.all(services.map((name) => fresh.service(name).ready()))
  const ms = performance.now() - startedAt
  await fresh.close()
  return ms
}

/** What this program can do. */
export type SdkLoad = {
  readonly prepare: typeof prepare
  readonly time: typeof time
  readonly ready: typeof ready
}
serveProgram({ prepare, time, ready } satisfies SdkLoad)
