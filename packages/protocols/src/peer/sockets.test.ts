/** Dialling what cannot be dialled. */
import { expect, it } from 'vitest'
import { resolvePeerOptions } from './options.js'
import { createDialler } from './sockets.js'

const dial = createDialler(resolvePeerOptions({}))

it.each(['no host:1', 'a:65536', '::1:7400'])(
  'fails, later, for what is no address: "%s"',
  async (address) => {
    let returned = false
    const reason = new Promise((resolve) => {
      dial(address, {
        opened: () => {
          throw new Error('nothing was opened')
        },
        failed: (text) => resolve([returned, text]),
      })
      returned = true
    })
    expect(await reason).toEqual([true, 'not an address'])
  },
)
