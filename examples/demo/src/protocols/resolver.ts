/** A reader that can resolve a name and nothing else: Node's resolver, asking for the SRV records of orders again and again. */
import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { found, onLeave } from './speaker.js'

/** The TTL of answers is 0 to a few seconds; a reader that asks oftener sees what there is to see. */
const ASK_MS = 100
/** Nothing to show, nothing that has the name; and a node that began empty and of which nothing has registered yet denies no name. */
const NOTHING = new Set(['ENODATA', 'ENOTFOUND', 'ESERVFAIL'])

const [, , dnsPort = '8600'] = process.argv
const resolver = new Resolver({ timeout: 500, tries: 2 })
resolver.setServers([`127.0.0.1:${dnsPort}`])
onLeave(async () => resolver.cancel())

for (;;) {
  try {
    const records = await resolver.resolveSrv('_orders._tcp.service.rollcall')
    const endpoints = await Promise.all(
      records.map(async ({ name, port }) => ({ host: (await resolver.resolve4(name))[0] ?? name, port })),
    )
    found(endpoints)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (NOTHING.has(code)) found([])
    else console.error(`DNS: ${code}`)
  }
  await sleep(ASK_MS)
}
