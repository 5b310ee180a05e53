// Calls instances of several addresses each, from where no network is: `unsent-child.mjs ADDRESSES`. Prints how that was judged.
import { connect as connectSocket } from 'node:net'
import { connect } from '@rollcall/client'

const count = Number(process.argv[2])
const addresses = Array.from({ length: count }, (_, n) => ({ address: `10.0.0.${n + 1}`, family: 4 }))
const lookup = (_host, { all }, done) => (all ? done(null, addresses) : done(null, addresses[0].address, 4))
const rollcall = await connect({
  snapshotDir: false,
  warmup: false,
  static: { web: [1, 2, 3].map((n) => ({ host: `h${n}.test`, port: 80 })) },
})
let tried = 0
const work = () => {
  tried += 1
  return new Promise((resolve, reject) =>
    connectSocket({ host: 'h.test', port: 80, lookup }).on('error', reject).on('connect', resolve),
  )
}
const error = await rollcall
  .service('web')
  .call(work)
  .catch((reason) => reason)
process.stdout.write(`${error.code} ${error.details?.phase} ${tried}`)
await rollcall.close()
