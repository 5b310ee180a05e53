/** How a node gets into the engine: what stands in the files, and which setting is wrong where they are of no use. */
import { beforeAll, describe, expect, it } from 'vitest'
import { readEngineAccess, type EngineAccess } from '../../packages/server/src/cluster/engine-access.js'
import { certificates, hasOpenssl } from './support/certificates.js'
import { without } from './support/guests/guest.js'

const ENGINE = { endpoints: ['https://e:2379'], prefix: '/shop/registry' }
const SECRET = 'horse'

let files: Readonly<Record<string, string>>
beforeAll(async () => {
  const { ca, of } = hasOpenssl() ? await certificates('a', 'b') : { ca: '', of: undefined }
  files = {
    'ca.pem': ca,
    'a.crt': of?.a.cert ?? '',
    'a.key': of?.a.key ?? '',
    'b.key': of?.b.key ?? '',
    password: `${SECRET}\n`,
    windows: `${SECRET}\r\n`,
    empty: '\n',
  }
})

const read = (settings: Partial<Parameters<typeof readEngineAccess>[0]>): EngineAccess =>
  readEngineAccess({ ...ENGINE, ...settings }, (path) => {
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
    return text
  })

/** Which setting is refused, and why. */
function refusal(settings: Partial<Parameters<typeof readEngineAccess>[0]>): string {
  try {
    read(settings)
  } catch (error) {
    const { code, field, message } = error as { code: string; field: string; message: string }
    expect(message).not.toContain(SECRET)
    return `${code} ${field}: ${message}`
  }
  return ''
}

describe('the access to an engine', () => {
  it('is no more than endpoints and a prefix where nothing else is asked for', () => {
    expect(read({})).toEqual({ endpoints: ['https://e:2379'], prefix: '/shop/registry/' })
  })

  it.each(['password', 'windows'])('has the password without the end of its line: %s', (passwordFile) => {
    expect(read({ user: 'registry', passwordFile })).toMatchObject({ user: 'registry', password: SECRET })
  })

  it('has certificates as they stand in their files', (context) => {
    if (!hasOpenssl()) without(context, 'there is no openssl to make a certificate with')
    expect(read({ ca: 'ca.pem', cert: 'a.crt', key: 'a.key' })).toMatchObject({
      ca: files['ca.pem'],
      cert: files['a.crt'],
      key: files['a.key'],
    })
  })

  it('names the setting whose file is of no use', (context) => {
    expect(refusal({ user: 'u', passwordFile: 'none' })).toBe(
      "invalid_argument etcd.passwordFile: etcd.passwordFile cannot be read: ENOENT: no such file or directory, open 'none'",
    )
    expect(refusal({ user: 'u', passwordFile: 'empty' })).toMatch(/etcd\.passwordFile empty is empty$/)
    expect(refusal({ ca: 'password' })).toMatch(/etcd\.ca is no certificate \(PEM\)$/)
    expect(refusal({ cert: 'password', key: 'password' })).toMatch(/etcd\.cert is of no use: /)
    if (!hasOpenssl()) without(context, 'there is no openssl to make a certificate with')
    expect(refusal({ cert: 'a.crt', key: 'password' })).toMatch(/etcd\.key is of no use: /)
    expect(refusal({ cert: 'a.crt', key: 'b.key' })).toMatch(/etcd\.key is of no use: .*mismatch/)
  })
})
