/** Which handler a request goes to, by path. */
import { describe, expect, it } from 'vitest'
import { createMountTable } from './mounts.js'

const mount = (path: string): { path: string; handleRequest(): void } => ({ path, handleRequest() {} })

describe('mounts', () => {
  const find = createMountTable(['/', '/livez', '/a/', '/a/b', '/a/b/'].map(mount))

  it.each([
    ['/livez', '/livez'],
    ['/livez?verbose', '/livez'],
    ['/livez/', '/'],
    ['/livezz', '/'],
    ['/a', '/'],
    ['/a/', '/a/'],
    ['/a/x?y=/a/b', '/a/'],
    ['/a/b', '/a/b'],
    ['/a/b?', '/a/b'],
    ['/a/b/c', '/a/b/'],
    ['*', '/'],
    ['', '/'],
    [undefined, '/'],
  ])('%s leads to %s', (url, path) => {
    expect(find(url).path).toBe(path)
  })

  it('leave nothing out', () => {
    expect(() => createMountTable([mount('/livez')])).toThrow('no mount for /')
  })
})
