import { expect, it } from 'vitest'
import { instance } from '../machine/stage.fixture.js'
import { nobodyError } from './nobody.js'

it('says who is there and cannot be called', () => {
  const list = [
    instance('a', { state: 'down' }),
    instance('b', { state: 'down' }),
    instance('c', { state: 'disabled' }),
  ]
  expect(nobodyError('orders', list)).toMatchObject({
    code: 'no_instances',
    message: 'orders has no instance that can be called: 2 down, 1 disabled',
    details: { states: { down: 2, disabled: 1 } },
  })
  expect(nobodyError('orders', []).message).toContain('none is registered')
})
