/** The order of what is sent, whatever has to be made first. */
import { describe, expect, it } from 'vitest'
import { InOrder } from './in-order.js'

function setUp() {
  const said: (string | number)[] = []
  const order = new InOrder({
    full: () => said.push('full'),
    empty: () => said.push('empty'),
    failed: () => said.push('failed'),
  })
  const say = (what: number): void => order.send(() => void said.push(what))
  /** Something long; the returned function says that it is made. */
  const hold = (): ((error?: Error) => void) => {
    let settle = (_error?: Error): void => {}
    const made = new Promise<void>((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error))
    })
    order.send(() => made.then(() => void said.push('long')))
    return (error) => settle(error)
  }
  return { said, order, say, hold }
}

const turn = (): Promise<void> => new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)))

describe('what is sent in order', () => {
  it('waits for what is still made, and only then', async () => {
    const { said, say, hold } = setUp()
    say(1)
    expect(said).toEqual([1])
    const first = hold()
    const second = hold()
    say(2)
    second()
    await turn()
    expect(said).toEqual([1])
    first()
    await turn()
    await turn()
    await turn()
    expect(said).toEqual([1, 'long', 'long', 2])
    say(3)
    expect(said.at(-1)).toBe(3)
  })

  it('says once that as much waits as may, and when that is sent', async () => {
    const { said, order, say, hold } = setUp()
    const made = hold()
    for (let each = 0; each < 1_100; each++) say(each)
    expect([said, order.full]).toEqual([['full'], true])
    made()
    await turn()
    await turn()
    expect(said.slice(0, 3)).toEqual(['full', 'long', 0])
    expect([said.at(-1), said.length, order.full]).toEqual(['empty', 1_103, false])
  })

  it('sends nothing after what could not be made, and forgets what waits when it is closed', async () => {
    const { said, order, say, hold } = setUp()
    const made = hold()
    say(1)
    order.close()
    made(new Error('no'))
    await turn()
    await turn()
    expect(said).toEqual(['failed'])
  })
})
