/**
 * Names that lead to this machine for the process that loads this file: TEST_NAMES, separated by commas. What the name service
 * of a Compose file or of a cluster does, without a hosts file.
 */
const dns = require('node:dns')

const names = new Set((process.env.TEST_NAMES ?? '').split(','))
const system = dns.lookup

dns.lookup = (name, ...rest) => {
  const [options, callback = options] = rest
  if (!names.has(name)) return system(name, ...rest)
  const found = { address: '127.0.0.1', family: 4 }
  const all = typeof options === 'object' && options !== null && options.all === true
  process.nextTick(() => (all ? callback(null, [found]) : callback(null, found.address, found.family)))
}
