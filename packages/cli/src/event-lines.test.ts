/** How one event reads. */
import type { RegistryEvent } from '@rollcall/wire'
import { expect, it } from 'vitest'
import { logLine } from './event-lines.js'

const plain = (_style: string, text: string): string => text
const EVENT: RegistryEvent = {
  seq: 1,
  at: '2026-11-30T00:27:13.028Z',
  kind: 'registered',
  to: 'up',
  namespace: 'default',
  service: 'orders',
  group: 'default',
  id: 'a',
}

it.each([
  ['ann', 'by ann'],
  ['operator', 'by operator'],
  ['learnt', 'told by another node'],
])('an event by %s says: %s', (by, text) => {
  expect(logLine({ ...EVENT, by }, plain)).toBe(
    `2026-11-30T00:27:13.028Z  registered        orders/default  a  - → up  ${text}`,
  )
})
