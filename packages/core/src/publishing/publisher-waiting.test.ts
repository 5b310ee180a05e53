/** Long polls of views. */
import { EMPTY_SIGN } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { inside, ORDERS, setUp } from './publisher.fixture.js'
import { signOfView } from '../directory/view.js'

describe('waiting', () => {
  it('ends once when the sign is another', () => {
    const { sim, publisher, publish } = setUp()
    let woken = 0
    publisher.wait(ORDERS, EMPTY_SIGN, () => woken++)
    sim.register()
    publish()
    sim.register({ id: 'b' })
    publish(1_000)
    expect(woken).toBe(1)
    expect(inside(publisher)).toEqual({ views: 0, watches: 0, waiting: 0 })
  })

  it('goes on when the list changes there and back', () => {
    const { sim, publisher, publish } = setUp()
    let woken = 0
    publisher.wait(ORDERS, EMPTY_SIGN, () => woken++)
    sim.register({ incarnation: 1 })
    sim.deregister('a', 1)
    publish(1_000)
    expect(woken).toBe(0)
  })

  it('for one group is not ended by another', () => {
    const { sim, publisher, publish } = setUp()
    let woken = 0
    publisher.wait({ ...ORDERS, group: 'blue' }, EMPTY_SIGN, () => woken++)
    sim.register({ group: 'green' })
    publish(1_000)
    expect(woken).toBe(0)
    sim.register({ group: 'blue' })
    publish(1_000)
    expect(woken).toBe(1)
  })

  it('is bounded, and forgotten when its owner loses interest', () => {
    const { publisher } = setUp({ publisher: { waitersMax: 2 } })
    const forget = publisher.wait(ORDERS, EMPTY_SIGN, () => {})
    publisher.wait(ORDERS, EMPTY_SIGN, () => {})
    let thrown: unknown
    try {
      publisher.wait(ORDERS, EMPTY_SIGN, () => {})
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({
      code: 'limit_exceeded',
      details: { quota: 'waitersMax', max: 2, over: 'node' },
    })
    forget()
    forget()
    publisher.wait(ORDERS, EMPTY_SIGN, () => {})
    expect(inside(publisher).waiting).toBe(2)
  })

  it('may begin again the moment it ends', () => {
    const { sim, publisher, publish } = setUp()
    const signs: string[] = []
    const again = (sign: string): void => {
      publisher.wait(ORDERS, sign, () => {
        const now = signOfView(sim.node.directory, ORDERS)
        signs.push(now)
        again(now)
      })
    }
    again(EMPTY_SIGN)
    for (const id of ['a', 'b', 'c']) {
      sim.register({ id })
      publish(1_000)
    }
    expect(new Set(signs).size).toBe(3)
    expect(inside(publisher).waiting).toBe(1)
  })
})
