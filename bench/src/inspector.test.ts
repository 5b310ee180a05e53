/** A CPU profile as shares by place. */
import { describe, expect, it } from 'vitest'
import { hotSpots } from './inspector.js'

describe('a profile', () => {
  it('is summed up by function, without idle time', () => {
    const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber })
    const base = 'file:///somewhere/packages'
    const spots = hotSpots({
      nodes: [
        { id: 1, callFrame: frame('(idle)') },
        { id: 2, callFrame: frame('apply', `${base}/core/dist/directory.js`, 9) },
        { id: 3, callFrame: frame('apply', `${base}/core/dist/directory.js`, 9) },
        { id: 4, callFrame: frame('writev') },
      ],
      samples: [1, 2, 3, 4],
      timeDeltas: [1_000, 30, 30, 40],
    })
    expect(spots).toEqual([
      { where: 'apply core/dist/directory.js:10', share: 0.6 },
      { where: 'writev', share: 0.4 },
    ])
  })
})
