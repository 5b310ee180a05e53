/** The native contract: types, error codes, limits and sign arithmetic. This entry has no dependency. */
export * from './errors.js'
export * from './events.js'
export * from './explanation.js'
export * from './limits.js'
export * from './messages.js'
export * from './operators.js'
export * from './sign.js'
export * from './types.js'
