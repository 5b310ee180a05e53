// A name server of a test: the names in TEST_NAMES are this machine, as those of Compose are its containers.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

const names = (process.env.TEST_NAMES ?? '').split(',')
const real = { lookup: dns.lookup, promise: dns.promises.lookup }
const known = (host) => (names.includes(host) ? '127.0.0.1' : host)

dns.lookup = (host, ...rest) => real.lookup(known(host), ...rest)
dns.promises.lookup = (host, ...rest) => real.promise(known(host), ...rest)
syncBuiltinESMExports()
