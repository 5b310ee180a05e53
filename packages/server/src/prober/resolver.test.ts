/** Names are resolved once, few at a time. */
import { describe, expect, it } from 'vitest'
import { createAddressResolver } from './resolver.js'

/** A resolver of the system that answers when it is told to. */
function createSlowLookup(): {
  lookup: (host: string, callback: (addresses: readonly string[]) => void) => void
  asked: string[]
  answer(host: string, addresses: readonly string[]): void
} {
  const open = new Map<string, (addresses: readonly string[]) => void>()
  const asked: string[] = []
  return {
    asked,
    lookup(host, callback) {
      asked.push(host)
      open.set(host, callback)
    },
    answer(host, addresses) {
      open.get(host)?.(addresses)
    },
  }
}

describe('the resolver of probes', () => {
  it('asks for a name once, for all probes that want it', () => {
    const system = createSlowLookup()
    const resolver = createAddressResolver(system.lookup, 2)
    const answers: string[][] = []
    resolver.resolve('a', (addresses) => answers.push([...addresses]))
    resolver.resolve('a', (addresses) => answers.push([...addresses]))
    expect(system.asked).toEqual(['a'])
    system.answer('a', ['10.0.0.1'])
    expect(answers).toEqual([['10.0.0.1'], ['10.0.0.1']])
  })

  it('never has more questions out than it may, also when the askers are long gone', () => {
    const system = createSlowLookup()
    const resolver = createAddressResolver(system.lookup, 2)
    const answered: string[] = []
    const cancels = ['a', 'b', 'c', 'd'].map((host) => resolver.resolve(host, () => answered.push(host)))
    expect(system.asked).toEqual(['a', 'b'])
    for (const cancel of cancels.slice(0, 3)) cancel()
    expect(system.asked).toEqual(['a', 'b'])
    system.answer('a', [])
    expect(system.asked).toEqual(['a', 'b', 'd'])
    system.answer('b', [])
    system.answer('d', [])
    expect(answered).toEqual(['d'])
  })

  it('asks again for a name that was answered', () => {
    const system = createSlowLookup()
    const resolver = createAddressResolver(system.lookup, 2)
    resolver.resolve('a', () => {})
    system.answer('a', [])
    resolver.resolve('a', () => {})
    expect(system.asked).toEqual(['a', 'a'])
  })
})
