/** What is chosen of the endpoints of a service, and how often that is worked out. */
import { HandClock } from '@rollcall/testkit/time'
import { expect, it } from 'vitest'
import type { Endpoint } from './mapping.js'
import { type EndpointChoice, ServiceEndpoints } from './selection.js'
import { WorkTurns } from './steps.js'

it('works out once that a tag and a zone do not meet', async () => {
  let looked = 0
  const endpoint = (tag: string, zone: string): Endpoint =>
    ({
      tags: [tag],
      group: 'default',
      get zone() {
        looked++
        return zone
      },
    }) as unknown as Endpoint
  const turns = new WorkTurns(new HandClock(), 10)
  const all = Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? endpoint('v1', 'a') : endpoint('v2', 'b')))
  const endpoints = new ServiceEndpoints(all, turns)
  const select = async (choice: EndpointChoice): Promise<boolean> =>
    (await turns.run(endpoints.select(choice))) !== undefined
  expect(await select({ tag: 'v1', zone: 'a' })).toBe(true)
  expect(await select({ tag: 'v1', zone: 'b' })).toBe(false)
  const once = looked
  expect(await select({ tag: 'v1', zone: 'b' })).toBe(false)
  expect(await select({ tag: 'v1', zone: 'a' })).toBe(true)
  expect(await select({ tag: 'v1', zone: 'nowhere' })).toBe(false)
  expect(looked).toBe(once)
})
