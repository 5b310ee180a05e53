/** A machine with the command and without the node. */
import { describe, expect, it } from 'vitest'
import { describeFailure, failureBody } from './failures.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { withoutServer } from './missing-server.js'

function thrown(error: unknown): unknown {
  try {
    return withoutServer(error)
  } catch (caught) {
    return caught
  }
}

/** As Node words it. */
function notFound(name: string): Error {
  return Object.assign(new Error(`Cannot find package '${name}' imported from serve.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
}

describe('a command without the node that it needs', () => {
  it('says in one line what to install', () => {
    const error = thrown(notFound('@rollcall/server'))
    expect(describeFailure(error)).toMatch(
      /^rollcall: this command needs a node, .* `npm install --global rollcall`/,
    )
    expect(failureBody(error)).toMatchObject({ error: { code: 'failed' } })
    expect(exitCodeOf(error)).toBe(EXIT.failed)
  })

  it('lets every other failure through', () => {
    for (const error of [
      notFound('@rollcall/server-x'),
      notFound('pino'),
      new Error("'@rollcall/server'"),
      'text',
    ])
      expect(thrown(error)).toBe(error)
  })
})
