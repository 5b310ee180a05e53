/** The SDK on machines that are not a developer's: users without an entry, few descriptors, directories that hang. */
import { afterAll, describe, expect, it } from 'vitest'
import { without } from './support/guests/guest.js'
import { asStranger, missing } from './support/namespaces.js'
import { endAll, run } from './support/processes.js'

afterAll(endAll)

describe('a user without an entry, as containers have', () => {
  it.for<Readonly<Record<string, string>>>([{ HOME: '/' }, {}])(
    'starts with the environment %j',
    async (environment, context) => {
      const command = asStranger(environment)
      const reason = missing(command)
      if (reason !== undefined) without(context, reason)
      const { output } = await run(
        { script: 'start-child.mjs', command },
        JSON.stringify({ registries: ['http://127.0.0.1:1'], logger: false }),
      )
      expect(output).toBe('closed')
    },
  )
})
