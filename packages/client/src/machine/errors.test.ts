/** The words of errors. */
import { expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import { noInstancesError } from './errors.js'

it('says who is there and cannot be called', () => {
  const list = [
    instance('a', { state: 'down' }),
    instance('b', { state: 'down' }),
    instance('c', { state: 'disabled' }),
  ]
  expect(noInstancesError('orders', list)).toMatchObject({
    code: 'no_instances',
    message: 'orders has no instance that can be called: 2 down, 1 disabled',
    details: { states: { down: 2, disabled: 1 } },
  })
  expect(noInstancesError('orders', []).message).toContain('none is registered')
})
