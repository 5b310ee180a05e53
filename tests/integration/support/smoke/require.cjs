// The SDK by `require`, as a CommonJS program has it: `require.cjs REGISTRY`.
const { connect, isRegistryError } = require('@rollcall/client')

void import('./steps.mjs').then(({ smoke }) => smoke({ connect, isRegistryError }, process.argv[2]))
