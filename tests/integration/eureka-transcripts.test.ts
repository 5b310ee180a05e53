/** Every request of real clients, sent again: what Rollcall answers is what Eureka's own server answered, but for known gaps. */
import { startNode } from '@rollcall/server'
import { expect, it } from 'vitest'
import { BETWEEN, KNOWN_GAPS } from './support/eureka/known-gaps.js'
import { CLIENTS, essence, readTranscript, recorded, replay } from './support/eureka/transcript.js'

it.each(CLIENTS)('%s', async (client) => {
  await using node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    eureka: '127.0.0.1:0',
    logLevel: 'error',
  })
  const base = node.foreign['eureka'] ?? ''
  const gaps = KNOWN_GAPS[client] ?? {}
  const exchanges = readTranscript(client)
  for (const [index, exchange] of exchanges.entries()) {
    for (const each of BETWEEN[client]?.[index] ?? []) {
      const asked = typeof each === 'number' ? exchanges[each]?.request : { line: each, headers: [] }
      if (asked !== undefined) await replay(base, asked)
    }
    const answer = essence(await replay(base, exchange.request))
    const expected = essence(recorded(exchange.response))
    const where = `${index} ${exchange.request.line}`
    if (gaps[index] === undefined) expect(answer, where).toEqual(expected)
    else expect(answer, `${where}: this gap is closed (${gaps[index]})`).not.toEqual(expected)
  }
})
